//! A data set: elements by their tags, values as numbers and words.

use crate::element::{Element, Encoding, Fault, Reader, Value};
use crate::tag::Tag;

/// More elements than any image header has; each of ours takes more room than the file's.
const MOST_ELEMENTS: usize = 50_000;

/// The elements of a file, or of an item, up to and with its pixel data.
#[derive(Clone, Debug)]
pub(crate) struct DataSet<'a> {
    pub(crate) elements: Vec<Element<'a>>,
    pub(crate) encoding: Encoding,
    /// What was wrong where reading stopped: what stands before it is sound.
    pub(crate) fault: Option<Fault>,
}

impl<'a> DataSet<'a> {
    /// Reads until the pixel data, the end or the first fault. What stands behind the pixels is of no use here.
    pub(crate) fn read(bytes: &'a [u8], encoding: Encoding) -> Self {
        let mut reader = Reader::new(bytes, encoding);
        let mut set = DataSet { elements: Vec::new(), encoding, fault: None };
        while !reader.is_at_end() && set.fault.is_none() {
            match reader.element() {
                // The end of an item that was handed over with it.
                Ok(element) if element.tag.group() == 0xFFFE => {}
                Ok(element) => {
                    let last = element.tag == Tag::PIXEL_DATA;
                    set.elements.push(element);
                    if last {
                        break;
                    }
                }
                Err(fault) => set.fault = Some(fault),
            }
            if set.elements.len() > MOST_ELEMENTS {
                set.fault = Some(Fault::Wrong(format!("it has more than {MOST_ELEMENTS} elements")));
            }
        }
        set
    }

    pub(crate) fn find(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.tag == tag)
    }

    /// A value's bytes; `None` where the element is absent or empty.
    pub(crate) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.find(tag)?.value {
            Value::Bytes(bytes) if !bytes.is_empty() => Some(bytes),
            _ => None,
        }
    }

    /// A value as text without the padding; bytes beyond ASCII as Latin letters. Empty is absent.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        let text: String = self.bytes(tag)?.iter().map(|&byte| char::from(byte)).collect();
        let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The first of several words.
    pub(crate) fn word(&self, tag: Tag) -> Option<String> {
        let text = self.text(tag)?;
        let first = text.split('\\').next().unwrap_or_default().trim();
        (!first.is_empty()).then(|| first.to_owned())
    }

    /// Numbers of a decimal or integer string, or of floating-point values.
    pub(crate) fn decimals(&self, tag: Tag) -> Vec<f64> {
        let Some(element) = self.find(tag) else { return Vec::new() };
        let Some(bytes) = self.bytes(tag) else { return Vec::new() };
        let big = self.encoding.big_endian;
        match element.vr.as_ref() {
            Some(b"FD") => {
                let (eights, _) = bytes.as_chunks::<8>();
                let read = |&e| if big { f64::from_be_bytes(e) } else { f64::from_le_bytes(e) };
                eights.iter().map(read).collect()
            }
            Some(b"FL") => {
                let (fours, _) = bytes.as_chunks::<4>();
                fours.iter().map(|&four| f64::from(f32::from_bits(self.encoding.u32(four)))).collect()
            }
            Some(b"US" | b"SS") => self.words(tag).into_iter().map(f64::from).collect(),
            _ => {
                let text = self.text(tag).unwrap_or_default();
                text.split('\\')
                    .map_while(|part| part.trim().parse().ok())
                    .filter(|n: &f64| n.is_finite())
                    .collect()
            }
        }
    }

    /// Numbers of 16 bits.
    pub(crate) fn words(&self, tag: Tag) -> Vec<u16> {
        let (twos, _) = self.bytes(tag).unwrap_or_default().as_chunks::<2>();
        twos.iter().map(|&two| self.encoding.u16(two)).collect()
    }

    /// The first number of 16 bits.
    pub(crate) fn u16(&self, tag: Tag) -> Option<u16> {
        self.words(tag).first().copied()
    }

    /// The items of a sequence; those before the first fault in it.
    pub(crate) fn items(&self, tag: Tag) -> Vec<DataSet<'a>> {
        let (bytes, encoding) = match self.find(tag).map(|element| &element.value) {
            Some(Value::Bytes(bytes)) => (*bytes, self.encoding),
            Some(Value::Items(bytes, encoding)) => (*bytes, *encoding),
            _ => return Vec::new(),
        };
        let mut reader = Reader::new(bytes, encoding);
        let mut items = Vec::new();
        while let Ok(Some(item)) = reader.item() {
            items.push(DataSet::read(item, encoding));
        }
        items
    }
}
