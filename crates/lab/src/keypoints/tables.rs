use super::{KeypointFinding, KeypointFindings, Marked};
use crate::Estimate;
use std::fmt::Write;

/// What the tables say, for somebody who opens the file alone.
const INTRODUCTION: &str = "# Where SIFT and SURF look\n\n\
    The paper's discussion: both \"tend to use the key points with large gradients\", so that on radiographs \"the \
    focus will be on the edge of hands' contour which plays negligible roles in age prediction\". Here is how much of \
    it is so, on the films of the data folder that a person annotated, at 299 x 299 pixels.\n\n";
/// How the numbers came about.
const NOTES: &str = "\nA zone's share of the keypoints stands beside its share of the film's area, as a large zone has \
    many keypoints by chance alone; \"times\" is the one over the other, 1 where keypoints are as dense as on the film \
    as a whole. The first four zones share out the film. The contour is that of the mask which the program finds, not \
    where the film ends the forearm. Bones are the phalanges and metacarpals; boxes hold DIP, PIP, MCP, radius, ulna \
    and wrist, and were drawn on other films than the axes. A place with two directions is one keypoint. Masked films \
    are black outside the hand, as the paper feeds them. Shares are means over films, intervals 95 % bootstrap \
    intervals over films; detectors have their usual settings.\n";

impl KeypointFindings {
    /// The report in Markdown; `command` is what makes it.
    pub fn to_markdown(&self, command: &str) -> String {
        format!("{INTRODUCTION}Made by `{command}`.\n\n{}", self.tables())
    }

    /// The tables, with what is to know about them.
    pub(crate) fn tables(&self) -> String {
        let mut text = String::new();
        for (marked, title) in [
            (Marked::Bones, "Bones, by their axes"),
            (Marked::Ossification, "Places of ossification, by boxes"),
        ] {
            let found: Vec<&KeypointFinding> = self.findings.iter().filter(|f| f.marked == marked).collect();
            if !found.is_empty() {
                // Writing to a string cannot fail.
                let _ = write!(text, "**{title}**\n\n{}\n", table(&found));
            }
        }
        let _ = write!(
            text,
            "{} annotated films, of which {} without a found hand do not count.\n{NOTES}",
            self.annotated, self.without_hand
        );
        text
    }

    /// One line a zone: shares with the ends of their intervals.
    pub fn to_csv(&self) -> String {
        let mut text = String::from(
            "marked,detector,film,films,zone,area,area_lo,area_hi,share,share_lo,share_hi,density,density_lo,density_hi\n",
        );
        for f in &self.findings {
            let marked = match f.marked {
                Marked::Bones => "bones",
                Marked::Ossification => "ossification",
            };
            for zone in &f.zones {
                let numbers = [&zone.area, &zone.share, &zone.density].map(|e| {
                    let [low, high] = e.interval_95;
                    format!("{:.4},{low:.4},{high:.4}", e.value)
                });
                let (detector, film) = (f.detector.as_str(), film(f));
                let _ = writeln!(
                    text,
                    "{marked},{detector},{film},{},{},{}",
                    f.films,
                    zone.zone,
                    numbers.join(",")
                );
            }
        }
        text
    }
}

fn film(finding: &KeypointFinding) -> &'static str {
    if finding.masked { "masked" } else { "whole" }
}

/// Findings of one mark beside each other.
fn table(found: &[&KeypointFinding]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let row = |name: &str, area: String, cell: &dyn Fn(&KeypointFinding) -> String| {
        line([name.to_owned(), area].into_iter().chain(found.iter().map(|f| cell(f))).collect())
    };
    let mut text = row("", "area".to_owned(), &|f| format!("{}, {} film", f.detector.as_str(), film(f)));
    text.push_str(&format!("|---|---:|{}\n", "---:|".repeat(found.len())));
    for (index, zone) in found[0].zones.iter().enumerate() {
        text.push_str(&row(&zone.zone, format!("{:.1} %", 100.0 * zone.area.value), &|f| {
            let zone = &f.zones[index];
            format!("{}, {:.2} times", zone.share.percent(), zone.density.value)
        }));
    }
    let told = |e: &Estimate, digits: usize| {
        let [low, high] = e.interval_95;
        format!("{:.digits$} ({low:.digits$} to {high:.digits$})", e.value)
    };
    text.push_str(&row("density at the contour over that of the second row", String::new(), &|f| {
        told(&f.contour_over_marked, 2)
    }));
    text.push_str(&row("keypoints on a film", String::new(), &|f| told(&f.keypoints, 0)));
    text.push_str(&row("films", String::new(), &|f| f.films.to_string()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Detector, ZoneFinding};

    #[test]
    fn tables_hold_every_zone_and_finding() {
        let estimate = |value: f64| Estimate { value, interval_95: [value / 2.0, value * 2.0] };
        let zone = |name: &str, share: f64| ZoneFinding {
            zone: name.to_owned(),
            area: estimate(0.1),
            share: estimate(share),
            density: estimate(share / 0.1),
        };
        let finding = |detector, masked| KeypointFinding {
            detector,
            masked,
            marked: Marked::Bones,
            films: 7,
            keypoints: estimate(120.0),
            zones: vec![zone("contour", 0.4), zone("bone", 0.05)],
            contour_over_marked: estimate(8.0),
        };
        let findings = vec![finding(Detector::Sift, true), finding(Detector::Surf, false)];
        let found = KeypointFindings { annotated: 9, without_hand: 2, findings };
        let text = found.to_markdown("boneage x");
        assert!(
            text.contains("Made by `boneage x`") && text.contains("| SIFT, masked film | SURF, whole film |")
        );
        assert!(text.contains("| contour | 10.0 % | 40.0 % (20.0 to 80.0), 4.00 times |"), "{text}");
        assert!(
            text.contains("|  | 8.00 (4.00 to 16.00) |") && text.contains("9 annotated films, of which 2")
        );
        let csv = found.to_csv();
        assert_eq!(csv.lines().count(), 5);
        assert!(csv.contains("bones,SURF,whole,7,bone,0.1000,0.0500,0.2000,0.0500,"), "{csv}");
    }
}
