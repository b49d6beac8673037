//! What is written about each film besides its line in the result: pictures, pages, DICOM objects.

use crate::exit::OurFault;
use crate::inputs::output_names;
use crate::kept::keep;
use anyhow::{Context, bail};
use boneage_assess::Film;
use boneage_core::{Assessment, Date, Moment};
use boneage_dicom::UidRoot;
use boneage_report::{AdultHeight, Case, DicomKind, NoAdultHeight, Rendering, Standing};
use std::fs;
use std::path::{Path, PathBuf};

/// One reading with what is known of its child.
pub(crate) struct Told {
    pub(crate) assessment: Assessment,
    pub(crate) study_date: Option<Date>,
    pub(crate) standing: Option<Standing>,
    pub(crate) adult_height: Option<Result<AdultHeight, NoAdultHeight>>,
    /// When the reading was made, in UTC.
    pub(crate) at: Moment,
}

impl Told {
    pub(crate) fn case(&self) -> Case<'_> {
        Case {
            assessment: &self.assessment,
            study_date: self.study_date,
            standing: self.standing.as_ref(),
            adult_height: self.adult_height,
            written: self.at,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Folders that were asked for.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) overlay: Option<PathBuf>,
    pub(crate) pdf: Option<PathBuf>,
    pub(crate) dicom: Option<PathBuf>,
}

/// Where the outputs of one film go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs {
    overlay: Option<PathBuf>,
    page: Option<PathBuf>,
    /// One a [`DicomKind`], in the order of its list.
    objects: Option<[PathBuf; 3]>,
}

impl Folders {
    /// Where each file's outputs go. Looked at before anything is read: a batch that fails at its 9,000th image
    /// because a picture is there already has wasted an hour.
    pub(crate) fn plan(&self, files: &[PathBuf], force: bool) -> anyhow::Result<Vec<Outputs>> {
        let mut plan = vec![Outputs::default(); files.len()];
        if let Some(folder) = &self.overlay {
            for (outputs, path) in plan.iter_mut().zip(planned(folder, files, "overlay.png", force)?) {
                outputs.overlay = Some(path);
            }
        }
        if let Some(folder) = &self.pdf {
            for (outputs, path) in plan.iter_mut().zip(planned(folder, files, "pdf", force)?) {
                outputs.page = Some(path);
            }
        }
        if let Some(folder) = &self.dicom {
            let of = |ending| planned(folder, files, ending, force);
            let (captures, pages, reports) = (of("sc.dcm")?, of("pdf.dcm")?, of("sr.dcm")?);
            let all = captures.into_iter().zip(pages).zip(reports);
            for (outputs, ((capture, page), report)) in plan.iter_mut().zip(all) {
                outputs.objects = Some([capture, page, report]);
            }
        }
        Ok(plan)
    }
}

fn planned(folder: &Path, files: &[PathBuf], ending: &str, force: bool) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
    let paths: Vec<PathBuf> = output_names(files, ending).iter().map(|name| folder.join(name)).collect();
    keep(&paths, force)?;
    Ok(paths)
}

impl Outputs {
    /// Whether the reading's pictures are needed.
    pub(crate) fn show_the_film(&self) -> bool {
        self.overlay.is_some() || self.page.is_some() || self.objects.is_some()
    }

    /// Writes what was asked for.
    pub(crate) fn write(&self, film: &Film, told: &Told, root: &UidRoot) -> anyhow::Result<()> {
        let rendering = Rendering::new(&film.plane, told.case());
        if let Some(path) = &self.overlay {
            rendering.overlay().save(path).with_context(|| format!("overlay {}", path.display()))?;
        }
        if let Some(path) = &self.page {
            write(path, rendering.page().context(OurFault("write the page"))?)?;
        }
        if let Some(paths) = &self.objects {
            let source = film.source.as_ref().filter(|source| source.can_be_referred_to());
            let Some(source) = source else {
                bail!(
                    "results as DICOM need a film as DICOM that names itself; hint: leave --dicom-out away"
                );
            };
            for (path, kind) in paths.iter().zip(DicomKind::ALL) {
                let object = rendering.object(kind, source, root).context(OurFault("write the object"))?;
                write(path, &object)?;
            }
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("{}", path.display()))
}
