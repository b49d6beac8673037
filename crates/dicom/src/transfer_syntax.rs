use crate::element::Encoding;

/// What every node must take (PS3.5, 10.1).
pub const IMPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";

/// What our results are written in.
pub const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// The UIDs of all transfer syntaxes that [`read`](crate::read) reads.
pub const TRANSFER_SYNTAXES: &[&str] = &[
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    #[cfg(feature = "jpeg-ls")]
    "1.2.840.10008.1.2.4.80",
    #[cfg(feature = "jpeg-ls")]
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.8.1",
];

/// How pixels lie in a file, by PS3.6 table A-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// As they are.
    Native,
    /// As they are, in a data set that is deflated as a whole.
    Deflated,
    /// As they are, in fragments.
    Encapsulated,
    /// Each frame deflated.
    DeflatedFrames,
    Jpeg,
    JpegLs,
    Jpeg2000,
    Rle,
    /// Known by name or not at all, and not read.
    Other,
}

/// A transfer syntax by its UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransferSyntax {
    pub(crate) name: String,
    pub(crate) encoding: Encoding,
    pub(crate) storage: Storage,
}

impl TransferSyntax {
    pub(crate) fn of(uid: &str) -> TransferSyntax {
        use Storage::*;
        let (name, encoding, storage) = match uid.strip_prefix("1.2.840.10008.1.2").unwrap_or(uid) {
            "" => ("Implicit VR Little Endian", Encoding::IMPLICIT, Native),
            ".1" => ("Explicit VR Little Endian", Encoding::EXPLICIT, Native),
            ".1.98" => {
                ("Encapsulated Uncompressed Explicit VR Little Endian", Encoding::EXPLICIT, Encapsulated)
            }
            ".1.99" => ("Deflated Explicit VR Little Endian", Encoding::EXPLICIT, Deflated),
            ".2" => ("Explicit VR Big Endian", Encoding::BIG_ENDIAN, Native),
            ".4.50" => ("JPEG Baseline", Encoding::EXPLICIT, Jpeg),
            ".4.51" => ("JPEG Extended", Encoding::EXPLICIT, Jpeg),
            ".4.53" => ("JPEG Spectral Selection (retired)", Encoding::EXPLICIT, Jpeg),
            ".4.55" => ("JPEG Full Progression (retired)", Encoding::EXPLICIT, Jpeg),
            ".4.57" => ("JPEG Lossless", Encoding::EXPLICIT, Jpeg),
            ".4.70" => ("JPEG Lossless, first-order prediction", Encoding::EXPLICIT, Jpeg),
            ".4.80" => ("JPEG-LS Lossless", Encoding::EXPLICIT, JpegLs),
            ".4.81" => ("JPEG-LS Near-lossless", Encoding::EXPLICIT, JpegLs),
            ".4.90" => ("JPEG 2000 Lossless", Encoding::EXPLICIT, Jpeg2000),
            ".4.91" => ("JPEG 2000", Encoding::EXPLICIT, Jpeg2000),
            ".4.201" | ".4.202" | ".4.203" => ("High-Throughput JPEG 2000", Encoding::EXPLICIT, Other),
            ".4.110" | ".4.111" | ".4.112" => ("JPEG XL", Encoding::EXPLICIT, Other),
            ".5" => ("RLE Lossless", Encoding::EXPLICIT, Rle),
            ".8.1" => ("Deflated Image Frame Compression", Encoding::EXPLICIT, DeflatedFrames),
            _ => (uid, Encoding::EXPLICIT, Other),
        };
        TransferSyntax { name: name.to_owned(), encoding, storage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_known() {
        for uid in TRANSFER_SYNTAXES {
            let syntax = TransferSyntax::of(uid);
            assert!(syntax.storage != Storage::Other && syntax.name != *uid, "{uid}");
        }
    }
}
