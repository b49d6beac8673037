//! The page as PDF/A-2b: what is drawn is in `page`, how in this file.

use crate::case::Case;
use crate::page::{HEIGHT, WIDTH, draw};
use crate::{ReportError, page};
use boneage_draw::{Weight, text_width};
use krilla::Document;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};

/// A picture for the page: the film with its map and contour.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `[height, width, 3]`, red, green and blue.
    pub rgb: &'a [u8],
}

/// One page about one reading, as PDF/A-2b. The same reading gives the same bytes on the same day: no clock is
/// looked at but the caller's.
///
/// # Errors
/// If the page breaks a rule of PDF/A, which would be a fault of ours.
pub fn pdf(case: &Case<'_>, picture: Option<Picture<'_>>) -> Result<Vec<u8>, ReportError> {
    let fault = |reason: String| ReportError::Pdf(reason);
    let rules = ConfigurationBuilder::new().with_archival_validator(Archival::A2_B).finish();
    let configuration = rules.map_err(|error| fault(format!("{error:?}")))?;
    let settings = SerializeSettings { configuration, ..Default::default() };
    let mut document = Document::new_with(settings);
    let (year, month, day) = case.written.date.parts();
    let about = Metadata::new()
        .title("Bone age".to_owned())
        .language("en".to_owned())
        .creator(format!("boneage {}", case.version))
        .creation_date(DateTime::new(year).month(month).day(day));
    document.set_metadata(about);
    let fonts = Fonts::new().ok_or_else(|| fault("the embedded font is damaged".to_owned()))?;
    let size =
        PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| fault("the page has no size".to_owned()))?;
    let mut sheet = document.start_page_with(size);
    let mut surface = sheet.surface();
    draw(&mut Pen { surface: &mut surface, fonts: &fonts }, case, picture);
    surface.finish();
    sheet.finish();
    document.finish().map_err(|error| fault(format!("{error:?}")))
}

struct Fonts {
    regular: Font,
    bold: Font,
}

impl Fonts {
    fn new() -> Option<Fonts> {
        let font = |bytes: &'static [u8]| Font::new(bytes.into(), 0);
        Some(Fonts { regular: font(dejavu::sans::regular())?, bold: font(dejavu::sans::bold())? })
    }
}

/// What the page is drawn with; lengths in points, y down from the upper edge.
pub(crate) struct Pen<'a, 'b> {
    surface: &'a mut Surface<'b>,
    fonts: &'a Fonts,
}

impl Pen<'_, '_> {
    /// One line of text; `at` is the left end of its base line.
    pub(crate) fn text(&mut self, at: (f32, f32), style: page::Letters, text: &str) {
        self.fill(style.colour);
        let font = match style.weight {
            Weight::Regular => &self.fonts.regular,
            Weight::Bold => &self.fonts.bold,
        };
        let start = Point::from_xy(at.0, at.1);
        self.surface.draw_text(start, font.clone(), style.size, text, false, TextDirection::LeftToRight);
    }

    /// The same with its right end at `at`.
    pub(crate) fn text_before(&mut self, at: (f32, f32), style: page::Letters, text: &str) {
        let width = text_width(f64::from(style.size), style.weight, text) as f32;
        self.text((at.0 - width, at.1), style, text);
    }

    /// The same with its middle at `at`.
    pub(crate) fn text_around(&mut self, at: (f32, f32), style: page::Letters, text: &str) {
        let width = text_width(f64::from(style.size), style.weight, text) as f32;
        self.text((at.0 - width / 2.0, at.1), style, text);
    }

    /// A filled rectangle; nothing where it has no size.
    pub(crate) fn rectangle(&mut self, [x, y, width, height]: [f32; 4], colour: [u8; 3]) {
        let Some(rectangle) = Rect::from_xywh(x, y, width, height) else { return };
        let mut path = PathBuilder::new();
        path.push_rect(rectangle);
        self.path(path, colour);
    }

    /// A filled disc.
    pub(crate) fn disc(&mut self, (x, y): (f32, f32), radius: f32, colour: [u8; 3]) {
        // Four cubic curves; their control points lie this share of the radius off the ends of each.
        const BEND: f32 = 0.552_284_8;
        let bend = BEND * radius;
        let mut path = PathBuilder::new();
        path.move_to(x + radius, y);
        path.cubic_to(x + radius, y + bend, x + bend, y + radius, x, y + radius);
        path.cubic_to(x - bend, y + radius, x - radius, y + bend, x - radius, y);
        path.cubic_to(x - radius, y - bend, x - bend, y - radius, x, y - radius);
        path.cubic_to(x + bend, y - radius, x + radius, y - bend, x + radius, y);
        path.close();
        self.path(path, colour);
    }

    /// A picture in a rectangle.
    pub(crate) fn picture(&mut self, [x, y, width, height]: [f32; 4], picture: Picture<'_>) {
        let (threes, _) = picture.rgb.as_chunks::<3>();
        let rgba = threes.iter().flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect();
        let Some(size) = Size::from_wh(width, height) else { return };
        self.surface.push_transform(&Transform::from_translate(x, y));
        self.surface.draw_image(Image::from_rgba8(rgba, picture.width, picture.height), size);
        self.surface.pop();
    }

    fn path(&mut self, path: PathBuilder, colour: [u8; 3]) {
        self.fill(colour);
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }

    fn fill(&mut self, [red, green, blue]: [u8; 3]) {
        let paint = rgb::Color::new(red, green, blue).into();
        self.surface.set_fill(Some(Fill { paint, opacity: NormalizedF32::ONE, rule: FillRule::default() }));
    }
}
