use crate::clock::now;
use crate::folder::Picture;
use crate::pictures;
use crate::reading::Reading;
use crate::service::Service;
use crate::store::{Action, Job};
use boneage_assess::{Film, Pictures, Predictor};
use boneage_core::{DecodeLimits, Digest, SexGiven, SexSource};
use boneage_dicom::Source;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How long the worker sleeps when nobody rings: films that were put back come due by themselves.
const NAP: Duration = Duration::from_secs(2);

/// How long a film rests after its first failure; twice as long after each further one.
const REST_MS: i64 = 1000;

/// How often old films are looked for.
const ROUND: Duration = Duration::from_secs(3600);

/// Reads films until the bell closes. One at a time: a reading uses all cores by itself.
pub(crate) fn work(service: &Service, predictor: &Predictor) {
    match service.store.unsettled() {
        Ok(films) => films.iter().for_each(|(film, digest)| {
            let picture = catch_unwind(AssertUnwindSafe(|| picture_again(service, digest)));
            settle(service, film, digest, picture.ok().flatten().as_deref());
        }),
        Err(error) => tracing::error!(%error, "could not look for unfinished pictures"),
    }
    let mut last_round = None;
    while !service.bell.is_closed() {
        if last_round.is_none_or(|at: Instant| at.elapsed() > ROUND) {
            expire(service);
            last_round = Some(Instant::now());
        }
        match service.store.lease(now(), service.settings.lease) {
            Ok(Some(job)) => read(service, predictor, &job),
            Ok(None) => service.bell.wait(NAP),
            Err(error) => {
                tracing::error!(%error, "could not look for films to read");
                service.bell.wait(NAP);
            }
        }
    }
}

/// How one try ended.
enum Ended {
    /// With a reading, whose it is, and the picture of the film.
    Read(Box<Reading>, Option<Digest>, Vec<u8>),
    /// The file is no film that is read: it will not become one.
    Unreadable(String),
    /// Something went wrong that may go right another time.
    Faulty(String),
}

fn read(service: &Service, predictor: &Predictor, job: &Job) {
    let start = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(|| attempt(service, predictor, job)))
        .unwrap_or_else(|_| Ended::Faulty("reading stopped with a fault of boneage".into()));
    let took = start.elapsed();
    let last = job.attempt >= service.settings.attempts;
    let mut picture = None;
    let (outcome, written) = match ended {
        Ended::Read(reading, patient, image) => {
            let outcome = match reading.decision.as_str() {
                "accepted" => "accepted",
                "flagged" => "flagged",
                _ => "refused",
            };
            picture = Some(image);
            let destinations = destinations(service, job, &reading);
            (outcome, service.store.finish(job, &reading, patient.as_ref(), now(), &destinations))
        }
        Ended::Unreadable(reason) => ("failed", service.store.fail(job, &reason)),
        Ended::Faulty(reason) if last => ("failed", service.store.fail(job, &reason)),
        Ended::Faulty(reason) => {
            tracing::warn!(film = job.film, attempt = job.attempt, reason, "a film is put back for later");
            let rest = REST_MS << job.attempt.min(10);
            ("put_back", service.store.put_back(job, now() + rest))
        }
    };
    match written {
        Ok(true) => {
            tracing::info!(film = job.film, outcome, duration_ms = took.as_millis() as u64, "read a film");
        }
        Ok(false) => {
            // There is one worker, so nobody else has it: it was deleted meanwhile, and so are its pictures.
            tracing::warn!(film = job.film, "a film was deleted while it was read");
            if let Err(error) = service.store.folder().remove_pictures(&job.film) {
                tracing::error!(film = job.film, %error, "could not remove a film's pictures");
            }
            return;
        }
        Err(error) => tracing::error!(film = job.film, %error, "could not write a reading"),
    }
    service.metrics.read(outcome, took);
    service.news.notify_waiters();
    if outcome != "put_back" {
        settle(service, &job.film, &job.digest, picture.as_deref());
    }
}

/// Where the results of a film go: what came by C-STORE goes back to those who want it.
fn destinations<'a>(service: &'a Service, job: &Job, reading: &Reading) -> Vec<&'a str> {
    let Some(sender) = job.sender.as_deref().filter(|_| reading.dicom) else { return Vec::new() };
    let wanting = service.settings.node.destinations.iter().filter(|destination| destination.wants(sender));
    wanting.map(|destination| destination.aet.as_str()).collect()
}

fn attempt(service: &Service, predictor: &Predictor, job: &Job) -> Ended {
    let start = Instant::now();
    let folder = service.store.folder();
    let bytes = match fs::read(folder.upload(&job.digest)) {
        Ok(bytes) => bytes,
        Err(error) => return Ended::Faulty(format!("the upload could not be read: {error}")),
    };
    let film = match Film::decode(&bytes, &DecodeLimits::pixels(service.settings.max_pixels)) {
        Ok(film) if film.digest == job.digest => film,
        Ok(_) => return Ended::Unreadable("the file on the disk is not the one that came".into()),
        Err(error) => return Ended::Unreadable(error.to_string()),
    };
    drop(bytes);
    let source = if job.sex.is_some() { SexSource::Given } else { SexSource::Unknown };
    let sex = SexGiven { value: job.sex, source };
    // It was checked when it was asked for; what cannot be read any more must not be read otherwise.
    let placing = match job.by_hand.map(|by_hand| by_hand.placing()).transpose() {
        Ok(placing) => placing,
        Err(error) => return Ended::Unreadable(error.to_string()),
    };
    // The picture is for the eye, the assessment for the record: neither needs the other.
    let (assessment, image) = rayon::join(
        || film.assess(predictor, sex, placing.as_ref(), Pictures::Wanted),
        || pictures::image(&film.plane),
    );
    let kept = (|| {
        let pictures = [(Picture::Attention, &assessment.attention), (Picture::Hand, &assessment.hand)];
        for (picture, plane) in pictures {
            if let Some(plane) = plane {
                let png = pictures::map(plane).map_err(io::Error::other)?;
                folder.write_picture(&job.film, picture, &png)?;
            }
        }
        image.map_err(io::Error::other)
    })();
    match kept {
        Ok(image) => {
            let duration_ms = start.elapsed().as_millis() as u64;
            let mut reading = Reading::of(&assessment, &film, &service.settings.reference, duration_ms);
            reading.by_hand = job.by_hand;
            let mut patient = film.source.as_ref().and_then(Source::patient);
            if service.settings.deidentify {
                reading.study_date = None;
                reading.dicom = false;
                patient = None;
            }
            Ended::Read(Box::new(reading), patient, image)
        }
        Err(error) => Ended::Faulty(format!("its pictures could not be written: {error}")),
    }
}

/// What may wait until the reading is told: the film's picture, and in a de-identified store the end of its file.
fn settle(service: &Service, film_id: &str, digest: &Digest, picture: Option<&[u8]>) {
    let folder = service.store.folder();
    let settled = (|| {
        if let Some(png) = picture {
            folder.write_picture(film_id, Picture::Image, png)?;
        }
        service.store.settle(film_id, digest, service.settings.deidentify)
    })();
    match settled {
        Ok(()) => {
            service.news.notify_waiters();
            // The picture is on results too: they are sent and written when it is there.
            service.settings.node.destinations.iter().for_each(|destination| destination.bell.ring());
            service.settings.watch.iter().for_each(|watched| watched.bell.ring());
        }
        Err(error) => tracing::error!(film = film_id, %error, "could not write a film's picture"),
    }
}

/// The picture of a film whose reading was told just before the process ended.
fn picture_again(service: &Service, digest: &Digest) -> Option<Vec<u8>> {
    let bytes = fs::read(service.store.folder().upload(digest)).ok()?;
    let limits = DecodeLimits::pixels(service.settings.max_pixels);
    pictures::image(&Film::decode(&bytes, &limits).ok()?.plane).ok()
}

/// Deletes films whose time is over.
fn expire(service: &Service) {
    let Some(keep) = service.settings.keep else { return };
    let before = now() - keep.as_millis() as i64;
    let old = service.store.older_than(before).unwrap_or_else(|error| {
        tracing::error!(%error, "could not look for old films");
        Vec::new()
    });
    for film in &old {
        if let Err(error) = service.store.delete(film, "boneage", Action::Expired) {
            tracing::error!(film, %error, "could not delete an old film");
        }
    }
}
