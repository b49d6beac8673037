use std::fmt;

/// A tag of PS3.6: group in the upper half, element in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(pub(crate) u32);

impl Tag {
    pub(crate) fn group(self) -> u16 {
        (self.0 >> 16) as u16
    }

    pub(crate) const TRANSFER_SYNTAX_UID: Tag = Tag(0x0002_0010);
    pub(crate) const DIRECTORY_RECORD_SEQUENCE: Tag = Tag(0x0004_1220);
    pub(crate) const DIRECTORY_RECORD_TYPE: Tag = Tag(0x0004_1430);
    pub(crate) const REFERENCED_FILE_ID: Tag = Tag(0x0004_1500);
    pub(crate) const SOP_CLASS_UID: Tag = Tag(0x0008_0016);
    pub(crate) const SOP_INSTANCE_UID: Tag = Tag(0x0008_0018);
    pub(crate) const STUDY_DATE: Tag = Tag(0x0008_0020);
    pub(crate) const ACQUISITION_DATE: Tag = Tag(0x0008_0022);
    pub(crate) const MODALITY: Tag = Tag(0x0008_0060);
    pub(crate) const PATIENT_BIRTH_DATE: Tag = Tag(0x0010_0030);
    pub(crate) const PATIENT_SEX: Tag = Tag(0x0010_0040);
    pub(crate) const PATIENT_AGE: Tag = Tag(0x0010_1010);
    pub(crate) const BODY_PART_EXAMINED: Tag = Tag(0x0018_0015);
    pub(crate) const IMAGER_PIXEL_SPACING: Tag = Tag(0x0018_1164);
    pub(crate) const VIEW_POSITION: Tag = Tag(0x0018_5101);
    pub(crate) const STUDY_INSTANCE_UID: Tag = Tag(0x0020_000D);
    pub(crate) const SERIES_INSTANCE_UID: Tag = Tag(0x0020_000E);
    pub(crate) const LATERALITY: Tag = Tag(0x0020_0060);
    pub(crate) const IMAGE_LATERALITY: Tag = Tag(0x0020_0062);
    pub(crate) const SAMPLES_PER_PIXEL: Tag = Tag(0x0028_0002);
    pub(crate) const PHOTOMETRIC_INTERPRETATION: Tag = Tag(0x0028_0004);
    pub(crate) const PLANAR_CONFIGURATION: Tag = Tag(0x0028_0006);
    pub(crate) const NUMBER_OF_FRAMES: Tag = Tag(0x0028_0008);
    pub(crate) const ROWS: Tag = Tag(0x0028_0010);
    pub(crate) const COLUMNS: Tag = Tag(0x0028_0011);
    pub(crate) const PIXEL_SPACING: Tag = Tag(0x0028_0030);
    pub(crate) const PIXEL_ASPECT_RATIO: Tag = Tag(0x0028_0034);
    pub(crate) const BITS_ALLOCATED: Tag = Tag(0x0028_0100);
    pub(crate) const BITS_STORED: Tag = Tag(0x0028_0101);
    pub(crate) const HIGH_BIT: Tag = Tag(0x0028_0102);
    pub(crate) const PIXEL_REPRESENTATION: Tag = Tag(0x0028_0103);
    pub(crate) const PIXEL_PADDING_VALUE: Tag = Tag(0x0028_0120);
    pub(crate) const PIXEL_PADDING_RANGE_LIMIT: Tag = Tag(0x0028_0121);
    pub(crate) const WINDOW_CENTER: Tag = Tag(0x0028_1050);
    pub(crate) const WINDOW_WIDTH: Tag = Tag(0x0028_1051);
    pub(crate) const RESCALE_INTERCEPT: Tag = Tag(0x0028_1052);
    pub(crate) const RESCALE_SLOPE: Tag = Tag(0x0028_1053);
    pub(crate) const VOI_LUT_FUNCTION: Tag = Tag(0x0028_1056);
    pub(crate) const RED_PALETTE_DESCRIPTOR: Tag = Tag(0x0028_1101);
    pub(crate) const RED_PALETTE_DATA: Tag = Tag(0x0028_1201);
    pub(crate) const MODALITY_LUT_SEQUENCE: Tag = Tag(0x0028_3000);
    pub(crate) const LUT_DESCRIPTOR: Tag = Tag(0x0028_3002);
    pub(crate) const LUT_DATA: Tag = Tag(0x0028_3006);
    pub(crate) const VOI_LUT_SEQUENCE: Tag = Tag(0x0028_3010);
    pub(crate) const PRESENTATION_LUT_SHAPE: Tag = Tag(0x2050_0020);
    pub(crate) const FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0_0008);
    pub(crate) const DOUBLE_FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0_0009);
    pub(crate) const PIXEL_DATA: Tag = Tag(0x7FE0_0010);
    pub(crate) const ITEM: Tag = Tag(0xFFFE_E000);
    pub(crate) const ITEM_END: Tag = Tag(0xFFFE_E00D);
    pub(crate) const SEQUENCE_END: Tag = Tag(0xFFFE_E0DD);
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:04x},{:04x})", self.group(), self.0 & 0xFFFF)
    }
}
