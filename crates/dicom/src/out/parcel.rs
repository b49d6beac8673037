use super::item::write_tag;
use crate::dataset::DataSet;
use crate::element::{Encoding, Reader, Value};
use crate::file::parts;
use crate::tag::Tag;
use crate::transfer_syntax::Storage;
use std::borrow::Cow;

/// A file as it is sent over the network: its data set without preamble and meta group, and the names of both its
/// class and itself.
#[derive(Clone, Debug)]
pub struct Parcel<'a> {
    /// The SOP class UID.
    pub class: String,
    /// The SOP instance UID.
    pub instance: String,
    data_set: Cow<'a, [u8]>,
}

impl<'a> Parcel<'a> {
    /// A parcel of a file in Explicit VR Little Endian with native pixels or none, as all our results are; `None` of
    /// any other file.
    pub fn of(file: &'a [u8]) -> Option<Parcel<'a>> {
        let parts = parts(file, 0).ok()?;
        let native = parts.syntax.as_ref().is_some_and(|syntax| syntax.storage == Storage::Native);
        if parts.encoding != Encoding::EXPLICIT || !native {
            return None;
        }
        let set = DataSet::read(&parts.elements, parts.encoding);
        let (class, instance) = (set.word(Tag::SOP_CLASS_UID)?, set.word(Tag::SOP_INSTANCE_UID)?);
        Some(Parcel { class, instance, data_set: parts.elements })
    }

    /// The data set in Explicit VR Little Endian.
    pub fn explicit(&self) -> &[u8] {
        &self.data_set
    }

    /// The same in Implicit VR Little Endian, which every node must take (PS3.5, 10.1); `None` if the set is damaged.
    pub fn implicit(&self) -> Option<Vec<u8>> {
        implicit(&self.data_set)
    }
}

fn implicit(explicit: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(explicit, Encoding::EXPLICIT);
    let mut out = Vec::with_capacity(explicit.len());
    while !reader.is_at_end() {
        let element = reader.element().ok()?;
        let items = match element.value {
            Value::Bytes(items) if element.vr == Some(*b"SQ") => items,
            Value::Items(items, Encoding::EXPLICIT) => items,
            Value::Bytes(value) => {
                write(&mut out, element.tag, value);
                continue;
            }
            _ => return None,
        };
        let mut reader = Reader::new(items, Encoding::EXPLICIT);
        let mut sequence = Vec::with_capacity(items.len());
        while let Some(item) = reader.item().ok()? {
            write(&mut sequence, Tag::ITEM, &implicit(item)?);
        }
        write(&mut out, element.tag, &sequence);
    }
    Some(out)
}

fn write(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    write_tag(out, tag);
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value);
}

#[cfg(test)]
mod tests {
    use super::super::file_head;
    use super::super::item::Item;
    use super::*;
    use crate::UidRoot;

    #[test]
    fn an_explicit_set_says_the_same_implicitly() {
        let inner = Item::new().text(0x0008_0100, b"SH", "ABC").bytes(0x0042_0011, b"OB", vec![1, 2, 3]);
        let set = Item::new()
            .text(0x0008_0016, b"UI", "1.2")
            .text(0x0008_0018, b"UI", "1.2.3")
            .items(0x0040_A730, vec![inner.clone(), inner])
            .to_bytes();
        let mut file = file_head("1.2", "1.2.3", "1.2.840.10008.1.2.1", &UidRoot::default());
        file.extend(&set);
        let parcel = Parcel::of(&file).unwrap();
        assert_eq!(
            (parcel.class.as_str(), parcel.instance.as_str(), parcel.explicit()),
            ("1.2", "1.2.3", &set[..])
        );
        let implicit = parcel.implicit().unwrap();
        let read = DataSet::read(&implicit, Encoding::IMPLICIT);
        assert!(read.fault.is_none());
        assert_eq!(read.word(Tag::SOP_INSTANCE_UID).as_deref(), Some("1.2.3"));
        let items = read.items(Tag(0x0040_A730));
        assert_eq!(items.len(), 2);
        assert_eq!(items[1].word(Tag(0x0008_0100)).as_deref(), Some("ABC"));
        assert_eq!(items[1].bytes(Tag(0x0042_0011)), Some(&[1, 2, 3, 0][..]));
    }

    #[test]
    fn what_is_not_of_ours_makes_no_parcel() {
        let head = |syntax| file_head("1.2", "1.2.3", syntax, &UidRoot::default());
        for file in [b"hello".to_vec(), head("1.2.840.10008.1.2.4.70"), head("1.2.840.10008.1.2.1")] {
            assert!(Parcel::of(&file).is_none());
        }
    }
}
