//! Results as DICOM objects: what all of them share.

mod encapsulated_pdf;
mod item;
mod parcel;
mod secondary_capture;
mod structured_report;
mod uid;

use crate::source::Source;
use crate::transfer_syntax::EXPLICIT_LITTLE_ENDIAN;
use boneage_core::{Assessment, Date};
pub use encapsulated_pdf::encapsulated_pdf;
use item::Item;
pub use parcel::Parcel;
pub use secondary_capture::secondary_capture;
pub use structured_report::{Measurement, structured_report};
pub use uid::{ParseRootError, UidRoot};

/// Name of whoever wrote an object, in its equipment module.
const MANUFACTURER: &str = "boneage";

/// What results are made of besides their own content.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The film's file: patient, study and references are copied from it, and nothing else.
    pub source: &'a Source,
    /// The reading.
    pub assessment: &'a Assessment,
    /// Day of the reading.
    pub date: Date,
    /// Time of the reading, hours, minutes and seconds.
    pub time: [u8; 3],
    /// Version of the program.
    pub version: &'a str,
    /// What new UIDs begin with.
    pub root: &'a UidRoot,
}

/// The kinds of objects: SOP class (PS3.4, B.5), modality, number of the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SecondaryCapture,
    EncapsulatedPdf,
    StructuredReport,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Kind::SecondaryCapture => "1.2.840.10008.5.1.4.1.1.7",
            Kind::EncapsulatedPdf => "1.2.840.10008.5.1.4.1.1.104.1",
            // Enhanced SR: the least that template 1500 asks for.
            Kind::StructuredReport => "1.2.840.10008.5.1.4.1.1.88.22",
        }
    }

    fn modality(self) -> &'static str {
        match self {
            Kind::SecondaryCapture => "OT",
            Kind::EncapsulatedPdf => "DOC",
            Kind::StructuredReport => "SR",
        }
    }

    /// Far from the numbers that machines give; a series a kind, as each has its modality.
    fn series_number(self) -> &'static str {
        match self {
            Kind::SecondaryCapture => "9101",
            Kind::EncapsulatedPdf => "9102",
            Kind::StructuredReport => "9103",
        }
    }
}

impl Occasion<'_> {
    fn day(&self) -> String {
        self.date.to_string().replace('-', "")
    }

    fn clock(&self) -> String {
        let [hours, minutes, seconds] = self.time;
        format!("{hours:02}{minutes:02}{seconds:02}")
    }

    /// A UID that the same reading on the same occasion has again, and no other.
    fn uid(&self, what: &str) -> String {
        let assessment = self.assessment;
        let input = assessment.input.as_ref().map_or("", |digest| digest.0.as_str());
        let sex = assessment.sex.value.map_or("", |sex| sex.as_str());
        let parts = [
            what,
            self.source.instance(),
            input,
            assessment.model.digest.0.as_str(),
            sex,
            self.version,
            &self.day(),
            &self.clock(),
        ];
        self.root.uid(&parts.join("|"))
    }

    /// A file with the modules that every kind has: patient and study of the source; series, equipment and SOP
    /// common of our own; then `content`.
    fn file(&self, kind: Kind, content: Item) -> Vec<u8> {
        let instance = self.uid(&format!("{kind:?} instance"));
        let (day, clock) = (self.day(), self.clock());
        let mut common = Item::new()
            .text(0x0008_0016, b"UI", kind.class())
            .text(0x0008_0018, b"UI", &instance)
            .text(0x0008_0012, b"DA", &day)
            .text(0x0008_0013, b"TM", &clock)
            .text(0x0008_0060, b"CS", kind.modality())
            .text(0x0008_0070, b"LO", MANUFACTURER)
            .text(0x0008_103E, b"LO", "Bone age")
            .text(0x0008_1090, b"LO", "boneage")
            .text(0x0018_1000, b"LO", &self.assessment.model.digest.0[..16])
            .text(0x0018_1020, b"LO", self.version)
            .text(0x0020_000E, b"UI", &self.uid(&format!("{kind:?} series")))
            .text(0x0020_0011, b"IS", kind.series_number())
            .text(0x0020_0013, b"IS", "1");
        for (tag, vr, value) in self.source.copied() {
            common = common.bytes(tag.0, &vr, value.to_vec());
        }
        let set = common.and(content).to_bytes();
        let mut file = file_head(kind.class(), &instance, EXPLICIT_LITTLE_ENDIAN, self.root);
        file.extend(set);
        file
    }

    /// The film, as an item of a sequence of references (PS3.3, table 10-11).
    fn film(&self) -> Item {
        Item::new().text(0x0008_1150, b"UI", self.source.class()).text(
            0x0008_1155,
            b"UI",
            self.source.instance(),
        )
    }
}

/// What stands before the data set in a file (PS3.10, 7.1): preamble, mark, and the meta group that names the SOP
/// class, the SOP instance and the transfer syntax. For a data set that came over the network without them.
pub fn file_head(class: &str, instance: &str, syntax: &str, root: &UidRoot) -> Vec<u8> {
    let meta = Item::new()
        .bytes(0x0002_0001, b"OB", vec![0, 1])
        .text(0x0002_0002, b"UI", class)
        .text(0x0002_0003, b"UI", instance)
        .text(0x0002_0010, b"UI", syntax)
        .text(0x0002_0012, b"UI", &root.implementation())
        .text(0x0002_0013, b"SH", "BONEAGE")
        .to_bytes();
    let mut head = vec![0; 128];
    head.extend(b"DICM");
    head.extend(Item::new().long(0x0002_0000, meta.len() as u32).to_bytes());
    head.extend(meta);
    head
}

/// A code (PS3.3, table 8.8-1).
fn code(value: &str, scheme: &str, meaning: &str) -> Item {
    Item::new().text(0x0008_0100, b"SH", value).text(0x0008_0102, b"SH", scheme).text(
        0x0008_0104,
        b"LO",
        &meaning.chars().take(64).collect::<String>(),
    )
}
