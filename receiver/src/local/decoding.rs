//! A stream as items, for whoever looks at them.

use bytes::Bytes;
use xbproto::xbstream::{Decoder, Item, Limits};

use super::LocalError;
use super::flow::Consumer;

/// What looks at the items of one stream.
pub(super) trait View: Send {
    /// Looks at the next item; its CRC is checked before [`Item::Verified`], not before [`Item::Data`].
    ///
    /// # Errors
    /// When it should not be there.
    fn look(&mut self, item: &Item) -> Result<(), LocalError>;
}

/// Decodes one stream, checks every CRC, and shows the items to all views.
pub(super) struct Decoding {
    name: String,
    decoder: Decoder,
    views: Vec<Box<dyn View>>,
}

impl Decoding {
    /// For the stream of this name.
    pub(super) fn new(name: &str, views: Vec<Box<dyn View>>) -> Decoding {
        Decoding { name: name.to_owned(), decoder: Decoder::new(Limits::default()), views }
    }
}

impl Consumer for Decoding {
    fn take(&mut self, bytes: &Bytes) -> Result<(), LocalError> {
        self.decoder.feed(bytes.clone());
        loop {
            match self.decoder.next() {
                Ok(Some(item)) => self.views.iter_mut().try_for_each(|view| view.look(&item))?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(LocalError::Stream { name: self.name.clone(), error: error.into() }),
            }
        }
    }

    fn end(&mut self) -> Result<(), LocalError> {
        let whole = self.decoder.finish();
        whole.map_err(|error| LocalError::Stream { name: self.name.clone(), error: error.into() })
    }
}
