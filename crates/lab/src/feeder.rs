use crate::fill::{draw, read_frame};
use crate::{Backbone, Experiment, LabError, Part, View, ViewReader};
use boneage_core::{Months, Plane};
use rayon::prelude::*;

/// Months to the network's scale and back: `value = (months - mean) / sd` of the training labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AgeScale {
    pub(crate) mean: f32,
    pub(crate) sd: f32,
}

impl AgeScale {
    pub(crate) fn of(ages: &[Months]) -> Self {
        let n = ages.len() as f64;
        let mean = ages.iter().map(|a| f64::from(a.0)).sum::<f64>() / n;
        let variance = ages.iter().map(|a| (f64::from(a.0) - mean).powi(2)).sum::<f64>() / n;
        // One age for all would divide by zero.
        AgeScale { mean: mean as f32, sd: variance.sqrt().max(1.0) as f32 }
    }

    pub(crate) fn value(self, months: Months) -> f32 {
        (months.0 - self.mean) / self.sd
    }

    pub(crate) fn months(self, value: f32) -> Months {
        Months(value * self.sd + self.mean)
    }
}

/// Brings features, from the cache or freshly drawn, sexes and standardised ages together as batches.
pub(crate) struct Feeder<'a> {
    experiment: &'a Experiment,
    backbone: &'a dyn Backbone,
    /// In the order of `Augment::all`.
    views: Vec<ViewReader>,
    clean: ViewReader,
    pub(crate) scale: AgeScale,
}

/// One batch: features `[n, height, width, channels]`, the others `[n]`.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) features: Vec<f32>,
    pub(crate) sex: Vec<f32>,
    pub(crate) target: Vec<f32>,
}

impl<'a> Feeder<'a> {
    /// Opens all views that the experiment's training and validation read; `backbone` draws fresh ones.
    pub(crate) fn open(experiment: &'a Experiment, backbone: &'a dyn Backbone) -> Result<Self, LabError> {
        let cache = &experiment.cache;
        let views = experiment.recipe.augment.all();
        let views = views.into_iter().map(|view| cache.reader(view)).collect::<Result<_, _>>()?;
        let months = |i: usize| experiment.dataset.radiographs[i].months;
        let ages: Vec<Months> = experiment.indices(Part::Training).into_iter().map(months).collect();
        Ok(Feeder {
            experiment,
            backbone,
            views,
            clean: cache.reader(View::Clean)?,
            scale: AgeScale::of(&ages),
        })
    }

    /// `[height, width, channels]` of the features of one image.
    pub(crate) fn map(&self) -> [usize; 3] {
        self.experiment.cache.map()
    }

    /// Training images `indices` as they show in `epoch`.
    pub(crate) fn training(&self, indices: &[usize], epoch: u32, batch: &mut Batch) -> Result<(), LabError> {
        let augment = &self.experiment.recipe.augment;
        if let Some(view) = augment.fresh_view(epoch) {
            batch.features = self.draw(indices, view)?;
            self.label(indices, batch);
            return Ok(());
        }
        let id = |index: usize| &self.experiment.dataset.radiographs[index].id;
        self.gather(indices, |index| &self.views[augment.turn(epoch, id(index))], batch)
    }

    /// Images `indices` as they are.
    pub(crate) fn clean(&self, indices: &[usize], batch: &mut Batch) -> Result<(), LabError> {
        self.gather(indices, |_| &self.clean, batch)
    }

    fn gather<'s>(
        &'s self,
        indices: &[usize],
        view: impl Fn(usize) -> &'s ViewReader + Sync,
        batch: &mut Batch,
    ) -> Result<(), LabError> {
        let length = self.experiment.cache.record_len();
        batch.features.resize(indices.len() * length, 0.0);
        let records = batch.features.par_chunks_mut(length).zip(indices);
        records.try_for_each(|(record, &index)| view(index).read(index, record))?;
        self.label(indices, batch);
        Ok(())
    }

    /// Frozen features of one view of the radiographs `indices`, from their files.
    fn draw(&self, indices: &[usize], view: View) -> Result<Vec<f32>, LabError> {
        let Experiment { dataset, recipe, .. } = self.experiment;
        let planes = indices.par_iter().map(|&index| {
            let radiograph = &dataset.radiographs[index];
            let frame = read_frame(radiograph, &recipe.preprocess).map_err(LabError::Data)?;
            Ok(draw(&frame, radiograph, view, recipe.preprocess.size))
        });
        let planes = planes.collect::<Result<Vec<Plane>, LabError>>()?;
        Ok(self.backbone.features(&planes.iter().collect::<Vec<_>>())?.values)
    }

    fn label(&self, indices: &[usize], batch: &mut Batch) {
        let radiographs = || indices.iter().map(|&index| &self.experiment.dataset.radiographs[index]);
        batch.sex = radiographs().map(|r| r.sex.as_input()).collect();
        batch.target = radiographs().map(|r| self.scale.value(r.months)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_goes_there_and_back() {
        let scale = AgeScale::of(&[Months(100.0), Months(140.0)]);
        assert_eq!(scale, AgeScale { mean: 120.0, sd: 20.0 });
        assert_eq!((scale.value(Months(130.0)), scale.months(0.5)), (0.5, Months(130.0)));
        assert_eq!(AgeScale::of(&[Months(7.0)]).sd, 1.0);
    }
}
