use crate::dataset::DataSet;
use crate::tag::Tag;
use boneage_core::Digest;
use std::fmt;

/// What is copied from a film into results: the patient (PS3.3, C.7.1.1) and the study (C.7.2.1), as those who ask
/// for a patient's objects need it, with the letters it is written in. Type 2 attributes are there even if empty.
const COPIED: [(u32, &[u8; 2], bool); 13] = [
    (0x0008_0005, b"CS", false), // specific character set
    (0x0008_0020, b"DA", true),  // study date
    (0x0008_0030, b"TM", true),  // study time
    (0x0008_0050, b"SH", true),  // accession number
    (0x0008_0090, b"PN", true),  // referring physician's name
    (0x0008_1030, b"LO", false), // study description
    (0x0010_0010, b"PN", true),  // patient's name
    (0x0010_0020, b"LO", true),  // patient's number
    (0x0010_0021, b"LO", false), // who gave it
    (0x0010_0030, b"DA", true),  // birth date
    (0x0010_0040, b"CS", true),  // sex
    (0x0020_000D, b"UI", true),  // study instance UID
    (0x0020_0010, b"SH", true),  // study's number
];

/// Whose film it is and where it belongs: what results copy. Nothing of it but its class, its
/// numbers and a digest of the patient's can be read out, and its debug form tells nothing: it is for [`structured_report`](crate::structured_report) and its like alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Source {
    copied: Vec<(Tag, [u8; 2], Vec<u8>)>,
    class: String,
    instance: String,
    series: String,
    study: String,
    modality: Option<String>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl Source {
    pub(crate) fn read(set: &DataSet<'_>) -> Source {
        let copied = COPIED.iter().filter_map(|&(tag, vr, needed)| {
            let value = set.bytes(Tag(tag));
            // No longer than 16 bits of length can say: none of these is.
            let value = value.filter(|value| value.len() < usize::from(u16::MAX)).map(<[u8]>::to_vec);
            let value = if needed { Some(value.unwrap_or_default()) } else { value };
            Some((Tag(tag), *vr, value?))
        });
        let word = |tag| set.word(tag).unwrap_or_default();
        Source {
            copied: copied.collect(),
            class: word(Tag::SOP_CLASS_UID),
            instance: word(Tag::SOP_INSTANCE_UID),
            series: word(Tag::SERIES_INSTANCE_UID),
            study: word(Tag::STUDY_INSTANCE_UID),
            modality: set.word(Tag::MODALITY),
        }
    }

    /// The number under which the study was ordered, by which a department finds it again.
    pub fn accession_number(&self) -> Option<String> {
        self.word(0x0008_0050)
    }

    /// By what films of the same patient are known to be so: a digest of the patient's number, of who gave it and of
    /// the birth date. It keeps them from sight, not from somebody who tries all numbers. `None` for a patient without
    /// a number.
    pub fn patient(&self) -> Option<Digest> {
        let number = self.word(0x0010_0020)?;
        let [issuer, birth] = [0x0010_0021, 0x0010_0030].map(|tag| self.word(tag).unwrap_or_default());
        Some(Digest::of_parts([number.as_bytes(), issuer.as_bytes(), birth.as_bytes()]))
    }

    /// An attribute that is copied, without the blanks around it; `None` where it is empty.
    fn word(&self, tag: u32) -> Option<String> {
        let (_, _, value) = self.copied.iter().find(|(copied, ..)| copied.0 == tag)?;
        let text: String = value.iter().map(|&byte| char::from(byte)).collect();
        let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether results can refer to it: it names itself, its series and its study.
    pub fn can_be_referred_to(&self) -> bool {
        [&self.class, &self.instance, &self.series, &self.study].iter().all(|uid| !uid.is_empty())
    }

    pub(crate) fn copied(&self) -> impl Iterator<Item = (Tag, [u8; 2], &[u8])> {
        self.copied.iter().map(|(tag, vr, value)| (*tag, *vr, value.as_slice()))
    }

    /// The SOP class UID; empty where the file has none.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// The SOP instance UID, by which a film is known wherever it goes; empty where the file has none.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    pub(crate) fn series(&self) -> &str {
        &self.series
    }

    pub(crate) fn study(&self) -> &str {
        &self.study
    }

    pub(crate) fn modality(&self) -> Option<&str> {
        self.modality.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: &str, issuer: &str, birth: &str) -> Option<Digest> {
        let rows = [(0x0010_0020, number), (0x0010_0021, issuer), (0x0010_0030, birth)];
        let copied = rows.map(|(tag, value)| (Tag(tag), *b"LO", value.as_bytes().to_vec())).to_vec();
        Source { copied, ..Source::default() }.patient()
    }

    #[test]
    fn a_patient_is_known_by_number_issuer_and_birth_date() {
        let one = of("4711 ", "", "20140320");
        assert!(one.is_some());
        assert_eq!(
            one,
            of("4711", "", "20140320"),
            "the blank that makes the length even counts for nothing"
        );
        for other in [of("4712", "", "20140320"), of("4711", "A", "20140320"), of("4711", "", "20140321")] {
            assert_ne!(one, other);
        }
        assert_eq!(of(" ", "A", "20140320"), None);
    }
}
