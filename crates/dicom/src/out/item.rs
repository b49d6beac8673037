//! Elements to be written: explicit, little endian (PS3.5, 7.1.2).

use crate::element::has_long_length;
use crate::tag::Tag;

/// A data set or an item of a sequence in the making. Elements may come in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    elements: Vec<(Tag, [u8; 2], Content)>,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    Items(Vec<Item>),
}

impl Item {
    pub(super) fn new() -> Item {
        Item::default()
    }

    /// Text of any string representation, without the padding. The letters of the file are those of its source, which
    /// are not known here: beyond ASCII, which is part of all of them, is a question mark.
    pub(super) fn text(self, tag: u32, vr: &[u8; 2], text: &str) -> Item {
        let letters = text.chars().map(|letter| if letter.is_ascii() { letter as u8 } else { b'?' });
        self.bytes(tag, vr, letters.collect())
    }

    /// Numbers of 16 bits.
    pub(super) fn numbers(self, tag: u32, numbers: &[u16]) -> Item {
        self.bytes(tag, b"US", numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    /// A number of 32 bits.
    pub(super) fn long(self, tag: u32, number: u32) -> Item {
        self.bytes(tag, b"UL", number.to_le_bytes().to_vec())
    }

    /// A value as it lies in a file; padded to an even length as its representation asks (PS3.5, 6.2).
    pub(super) fn bytes(mut self, tag: u32, vr: &[u8; 2], mut bytes: Vec<u8>) -> Item {
        if bytes.len() % 2 == 1 {
            bytes.push(if matches!(vr, b"UI" | b"OB" | b"UN") { 0 } else { b' ' });
        }
        self.elements.push((Tag(tag), *vr, Content::Bytes(bytes)));
        self
    }

    /// A sequence.
    pub(super) fn items(mut self, tag: u32, items: Vec<Item>) -> Item {
        self.elements.push((Tag(tag), *b"SQ", Content::Items(items)));
        self
    }

    /// The elements of another item as well.
    pub(super) fn and(mut self, other: Item) -> Item {
        self.elements.extend(other.elements);
        self
    }

    /// The elements as bytes, in the order of their tags.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut sorted: Vec<_> = self.elements.iter().collect();
        sorted.sort_by_key(|(tag, ..)| *tag);
        let mut out = Vec::new();
        for (tag, vr, content) in sorted {
            let value = match content {
                Content::Bytes(bytes) => bytes.clone(),
                Content::Items(items) => items.iter().flat_map(Item::to_item).collect(),
            };
            write_tag(&mut out, *tag);
            out.extend(vr);
            if has_long_length(*vr) {
                out.extend([0, 0]);
                out.extend((value.len() as u32).to_le_bytes());
            } else {
                out.extend((value.len() as u16).to_le_bytes());
            }
            out.extend(value);
        }
        out
    }

    fn to_item(&self) -> Vec<u8> {
        let value = self.to_bytes();
        let mut out = Vec::new();
        write_tag(&mut out, Tag::ITEM);
        out.extend((value.len() as u32).to_le_bytes());
        out.extend(value);
        out
    }
}

pub(super) fn write_tag(out: &mut Vec<u8>, tag: Tag) {
    out.extend(tag.group().to_le_bytes());
    out.extend(((tag.0 & 0xFFFF) as u16).to_le_bytes());
}
