//! What is chosen, and what is refused.

use std::fs::File;

use xbproto::failure::Cause;

use super::*;

fn tool() -> Choice {
    Choice::Tool { name: None, args: vec![], output: Output::Stdout }
}

fn read(origin: Origin) -> Choice {
    Choice::Read(vec![origin], Lead::SyncByte)
}

fn command() -> Wish {
    Wish { command: vec!["mariabackup".into(), "--backup".into()], ..Wish::default() }
}

fn input(path: &str) -> Wish {
    Wish { inputs: vec![path.into()], ..Wish::default() }
}

#[test]
fn what_is_named_is_taken_whatever_stdin_is() {
    for stdin in [Stdin::Stream, Stdin::Terminal, Stdin::Nothing] {
        assert_eq!(choose(command(), stdin).unwrap(), Choice::Command(command().command, Output::Stdout));
        assert_eq!(choose(input("a/b"), stdin).unwrap(), read(Origin::File("a/b".into())));
    }
}

#[test]
fn without_a_word_stdin_decides() {
    assert_eq!(choose(Wish::default(), Stdin::Stream).unwrap(), read(Origin::Stdin));
    assert_eq!(choose(Wish::default(), Stdin::Terminal).unwrap(), tool());
    assert_eq!(choose(Wish::default(), Stdin::Nothing).unwrap(), tool());
}

#[test]
fn a_dash_is_stdin_but_no_terminal() {
    assert_eq!(choose(input("-"), Stdin::Stream).unwrap(), read(Origin::Stdin));
    assert_eq!(choose(input("-"), Stdin::Nothing).unwrap(), read(Origin::Stdin));
    let error = choose(input("-"), Stdin::Terminal).unwrap_err();
    assert_eq!(error.cause(), Cause::Usage);
}

#[test]
fn asking_for_the_tool_wins_over_a_pipe() {
    let wish = Wish { tool: Some("xtrabackup".into()), tool_args: vec!["--parallel=4".into()], ..Wish::default() };
    let expected = Choice::Tool { name: wish.tool.clone(), args: wish.tool_args.clone(), output: Output::Stdout };
    assert_eq!(choose(wish, Stdin::Stream).unwrap(), expected);
}

#[test]
fn two_sources_are_refused() {
    let wishes = [
        Wish { inputs: vec!["-".into()], ..command() },
        Wish { tool: Some("xtrabackup".into()), ..command() },
        Wish { tool_args: vec!["--parallel=4".into()], ..input("-") },
        Wish { dir: Some("d".into()), ..input("-") },
    ];
    for wish in wishes {
        let error = choose(wish, Stdin::Stream).unwrap_err();
        assert_eq!(error.cause(), Cause::Usage);
        assert!(
            error.to_string().contains(" and --tool")
                || error.to_string().contains(" and -i")
                || error.to_string().contains(" and --dir"),
            "{error}"
        );
    }
}

#[test]
fn several_files_are_several_lanes_and_stdin_is_one_of_them_at_most() {
    let wish = Wish { inputs: vec!["b".into(), "-".into(), "a".into()], ..Wish::default() };
    let choice = choose(wish, Stdin::Stream).unwrap();
    let origins = [Origin::File("b".into()), Origin::Stdin, Origin::File("a".into())];
    assert_eq!(choice, Choice::Read(origins.to_vec(), Lead::SyncByte));
    assert_eq!(choice.lanes(), 3);
    let twice = Wish { inputs: vec!["-".into(), "-".into()], ..Wish::default() };
    assert!(matches!(choose(twice, Stdin::Stream), Err(SourceError::StdinTwice)));
    let many = Wish { inputs: vec!["x".into(); 2000], ..Wish::default() };
    assert_eq!(choose(many, Stdin::Stream).unwrap_err().cause(), Cause::Usage);
}

#[test]
fn fifo_streams_mean_the_tool() {
    let fifos = FifoWish { streams: Some(3), ..FifoWish::default() };
    let choice = choose(Wish { fifos: fifos.clone(), ..Wish::default() }, Stdin::Stream).unwrap();
    assert!(matches!(choice, Choice::Tool { .. }));
    assert_eq!(choice.lanes(), 3);
    assert_eq!(choose(Wish { fifos, ..input("a") }, Stdin::Stream).unwrap_err().cause(), Cause::Usage);
}

#[test]
fn kinds_of_stdin_are_told_apart() {
    let (pipe, _) = io::pipe().unwrap();
    assert_eq!(Stdin::of(&pipe), Stdin::Stream);
    assert_eq!(Stdin::of(tempfile::tempfile().unwrap()), Stdin::Stream);
    assert_eq!(Stdin::of(std::os::unix::net::UnixStream::pair().unwrap().0), Stdin::Stream);
    assert_eq!(Stdin::of(File::open("/dev/null").unwrap()), Stdin::Nothing);
    assert_eq!(Stdin::of(File::open("/dev/zero").unwrap()), Stdin::Nothing);
    assert_eq!(Stdin::of(File::open("/dev/ptmx").unwrap()), Stdin::Terminal);
}
