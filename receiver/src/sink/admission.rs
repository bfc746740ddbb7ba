//! What a sink says to a sender before it is welcomed.

use std::fmt;
use std::sync::Arc;

use xbproto::wire::Hello;

use super::SinkError;

/// Whether a sink takes what a sender proposes, asked on the thread at the port. Cheap to clone.
#[derive(Clone, Default)]
pub struct Admission(Option<Arc<Judge>>);

type Judge = dyn Fn(&Hello) -> Result<(), SinkError> + Send + Sync;

impl Admission {
    /// One that `judge` decides about. It may look at files, but must not wait for anybody.
    pub fn new(judge: impl Fn(&Hello) -> Result<(), SinkError> + Send + Sync + 'static) -> Admission {
        Admission(Some(Arc::new(judge)))
    }

    /// For a target that keeps one stream and no second one apart.
    pub fn one_stream(target: impl Into<String>) -> Admission {
        let target = target.into();
        Admission::new(move |hello| match hello.lanes {
            1 => Ok(()),
            lanes => Err(SinkError::OneStream { target: target.clone(), lanes }),
        })
    }

    /// Whether a session that begins so can be taken.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, hello: &Hello) -> Result<(), SinkError> {
        self.0.as_ref().map_or(Ok(()), |judge| judge(hello))
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Admission(some)" } else { "Admission(all)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::hello;

    #[test]
    fn one_stream_is_one() {
        let admission = Admission::one_stream("standard output");
        admission.judge(&hello(1, 1)).unwrap();
        let error = admission.judge(&hello(1, 3)).unwrap_err().to_string();
        assert!(error.starts_with("standard output takes a single stream, not 3; "), "{error}");
        Admission::default().judge(&hello(1, 3)).unwrap();
    }
}
