//! Elements one after another, as PS3.5 section 7 writes them.
//!
//! Values are borrowed from the file: a length that the file claims and does not have takes no memory.

use crate::tag::Tag;

/// How the elements of a data set are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) explicit: bool,
    pub(crate) big_endian: bool,
}

impl Encoding {
    pub(crate) const IMPLICIT: Encoding = Encoding { explicit: false, big_endian: false };
    pub(crate) const EXPLICIT: Encoding = Encoding { explicit: true, big_endian: false };
    pub(crate) const BIG_ENDIAN: Encoding = Encoding { explicit: true, big_endian: true };

    pub(crate) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    pub(crate) fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// One element of a file.
#[derive(Clone, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    /// Two letters; `None` in an implicit data set.
    pub(crate) vr: Option<[u8; 2]>,
    pub(crate) value: Value<'a>,
}

/// What an element holds.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// Bytes of a stated length; of a sequence: its items.
    Bytes(&'a [u8]),
    /// The items of a sequence of undefined length.
    Items(&'a [u8], Encoding),
    /// Encapsulated pixel data: the basic offset table, then the fragments.
    Fragments(Vec<&'a [u8]>),
}

/// What is wrong with the bytes at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They end within this element.
    Ends(Option<Tag>),
    /// Anything else, in words.
    Wrong(String),
}

/// Sequences in sequences: no radiograph's header is deeper, and a stack has an end.
const DEEPEST: usize = 32;

const UNDEFINED: u32 = u32::MAX;

/// Value representations whose length has 32 bits (PS3.5, 7.1.2).
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// The others.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL",
    b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
];

/// True for two letters that PS3.5 knows.
pub(crate) fn is_vr(letters: [u8; 2]) -> bool {
    LONG.contains(&&letters) || SHORT.contains(&&letters)
}

/// True for representations whose length is written with 32 bits.
pub(crate) fn has_long_length(letters: [u8; 2]) -> bool {
    LONG.contains(&&letters)
}

/// Reads elements from where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], encoding: Encoding) -> Self {
        Reader { bytes, at: 0, encoding, depth: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The tag that comes next.
    pub(crate) fn peek(&self) -> Option<Tag> {
        let four: [u8; 4] = self.bytes.get(self.at..self.at.checked_add(4)?)?.try_into().ok()?;
        let [a, b, c, d] = four;
        let (group, element) = (self.encoding.u16([a, b]), self.encoding.u16([c, d]));
        Some(Tag(u32::from(group) << 16 | u32::from(element)))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.slice(N, None).map(|bytes| bytes.try_into().expect("as long as was asked for"))
    }

    fn slice(&mut self, length: usize, within: Option<Tag>) -> Result<&'a [u8], Fault> {
        let end = self.at.checked_add(length).ok_or(Fault::Ends(within))?;
        let slice = self.bytes.get(self.at..end).ok_or(Fault::Ends(within))?;
        self.at = end;
        Ok(slice)
    }

    /// Tag, value representation and length: all that stands before a value.
    fn header(&mut self) -> Result<(Tag, Option<[u8; 2]>, u32), Fault> {
        let tag = self.peek().ok_or(Fault::Ends(None))?;
        self.at += 4;
        let delimiter = tag.group() == 0xFFFE;
        let vr: Option<[u8; 2]> = self.bytes.get(self.at..self.at + 2).and_then(|two| two.try_into().ok());
        // Some writers mix implicit elements into explicit sets: no letters, no representation.
        let vr =
            vr.filter(|vr| self.encoding.explicit && !delimiter && vr.iter().all(u8::is_ascii_uppercase));
        let Some(vr) = vr else {
            let length = self.take()?;
            return Ok((tag, None, self.encoding.u32(length)));
        };
        self.at += 2;
        // Representations that are not known yet have long lengths (PS3.5, 6.2.2 note).
        let length = if SHORT.contains(&&vr) {
            let length = self.take()?;
            u32::from(self.encoding.u16(length))
        } else {
            let _reserved: [u8; 2] = self.take()?;
            let length = self.take()?;
            self.encoding.u32(length)
        };
        Ok((tag, Some(vr), length))
    }

    /// The next element, whole.
    pub(crate) fn element(&mut self) -> Result<Element<'a>, Fault> {
        let (tag, vr, length) = self.header()?;
        let value = if length != UNDEFINED {
            Value::Bytes(self.slice(length as usize, Some(tag))?)
        } else if tag == Tag::PIXEL_DATA && self.depth == 0 {
            Value::Fragments(self.fragments()?)
        } else {
            // PS3.5, 6.2.2: a sequence of unknown representation is written implicitly.
            let encoding = if vr == Some(*b"UN") { Encoding::IMPLICIT } else { self.encoding };
            let start = self.at;
            let mut inner = Reader { encoding, depth: self.depth + 1, ..self.clone() };
            let end = inner.skip_items()?;
            self.at = inner.at;
            Value::Items(&self.bytes[start..end], encoding)
        };
        Ok(Element { tag, vr, value })
    }

    /// Goes beyond a sequence of undefined length; the end of its last item.
    fn skip_items(&mut self) -> Result<usize, Fault> {
        if self.depth > DEEPEST {
            return Err(Fault::Wrong(format!("sequences are nested more than {DEEPEST} deep")));
        }
        loop {
            let end = self.at;
            match self.header()? {
                (Tag::SEQUENCE_END, ..) => return Ok(end),
                (Tag::ITEM, _, UNDEFINED) => self.skip_elements()?,
                (Tag::ITEM, _, length) => {
                    self.slice(length as usize, Some(Tag::ITEM))?;
                }
                (tag, ..) => return Err(Fault::Wrong(format!("{tag} stands where an item should begin"))),
            }
        }
    }

    /// Goes beyond the elements of an item of undefined length, and its end.
    fn skip_elements(&mut self) -> Result<(), Fault> {
        loop {
            if self.peek() == Some(Tag::ITEM_END) {
                self.header()?;
                return Ok(());
            }
            self.element()?;
        }
    }

    fn fragments(&mut self) -> Result<Vec<&'a [u8]>, Fault> {
        let mut fragments = Vec::new();
        while !self.is_at_end() {
            match self.header()? {
                (Tag::ITEM, _, length) if length != UNDEFINED => {
                    fragments.push(self.slice(length as usize, Some(Tag::PIXEL_DATA))?);
                }
                (Tag::SEQUENCE_END, ..) => return Ok(fragments),
                (tag, ..) => return Err(Fault::Wrong(format!("{tag} stands among the pixel fragments"))),
            }
        }
        Err(Fault::Ends(Some(Tag::PIXEL_DATA)))
    }

    /// The next item of a sequence: its elements, and how they are written.
    pub(crate) fn item(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        if self.is_at_end() {
            return Ok(None);
        }
        match self.header()? {
            (Tag::SEQUENCE_END, ..) => Ok(None),
            (Tag::ITEM, _, UNDEFINED) => {
                let start = self.at;
                self.depth += 1;
                self.skip_elements()?;
                self.depth -= 1;
                Ok(Some(&self.bytes[start..self.at]))
            }
            (Tag::ITEM, _, length) => self.slice(length as usize, Some(Tag::ITEM)).map(Some),
            (tag, ..) => Err(Fault::Wrong(format!("{tag} stands where an item should begin"))),
        }
    }
}
