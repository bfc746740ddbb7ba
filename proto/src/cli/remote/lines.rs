//! What comes out of a pipe, line by line.

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

/// The longest line, in bytes; a longer one comes in pieces.
const LONGEST: u64 = 64 << 10;

/// Sends every line of `pipe` that is not empty, as text without its end, until the pipe or its listener is gone.
pub(super) async fn pass_on(pipe: impl AsyncRead + Unpin, to: mpsc::Sender<String>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        // An error on a pipe of our own cannot be told from its end.
        match (&mut pipe).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        if !text.is_empty() && to.send(text).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(bytes: &[u8]) -> Vec<String> {
        let (to, mut from) = mpsc::channel(100);
        pass_on(bytes, to).await;
        std::iter::from_fn(|| from.try_recv().ok()).collect()
    }

    #[tokio::test]
    async fn lines_lose_their_ends_and_empty_ones_are_left_out() {
        assert_eq!(lines(b"a\r\n\n \nb c\nlast").await, ["a", "b c", "last"]);
        assert_eq!(lines(b"\xff\n").await, ["\u{fffd}"]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_comes_in_pieces() {
        let pieces = lines(&vec![b'x'; LONGEST as usize + 1]).await;
        assert_eq!(pieces.iter().map(String::len).collect::<Vec<_>>(), [LONGEST as usize, 1]);
    }
}
