//! Letters of lead beside the hand, judged by a person on the found masks: a table `id,letter`.

use crate::{LabError, by_id};

use std::collections::BTreeMap;

/// What a person saw of the marker on a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Letter {
    /// Clear of the mask.
    Outside,
    /// Outside, but its plate lies against the mask.
    Touching,
    /// Part of the mask.
    Inside,
    /// The film shows none.
    None,
}

impl Letter {
    const ALL: [(&str, Letter); 4] = [
        ("outside", Letter::Outside),
        ("touching", Letter::Touching),
        ("inside", Letter::Inside),
        ("none", Letter::None),
    ];
}

/// Judged films, by what was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters {
    ids: BTreeMap<Letter, Vec<String>>,
    /// What the lines that begin with `#` say about the sample.
    notes: Vec<String>,
}

impl Letters {
    /// Reads a table `id,letter`. Lines that begin with `#` say how the sample was drawn.
    ///
    /// # Errors
    /// Names the line that is not understood or repeats an id, and a table without any film.
    pub(crate) fn read(table: &str) -> Result<Letters, LabError> {
        let wrong = |number: usize, line: &str, why: &str| {
            LabError::Data(format!(
                "line {} of the checked letters is {line:?}: {why}; hint: lines are id,outside|touching|inside|none",
                number + 1
            ))
        };
        let mut letters = Letters::default();
        for (number, line) in table.lines().map(str::trim).enumerate() {
            if let Some(note) = line.strip_prefix('#') {
                letters.notes.push(note.trim().to_owned());
                continue;
            }
            if line.is_empty() || line == "id,letter" {
                continue;
            }
            let (id, word) = line.split_once(',').ok_or_else(|| wrong(number, line, "no comma"))?;
            let known = Letter::ALL.iter().find(|(name, _)| *name == word);
            let &(_, letter) = known.ok_or_else(|| wrong(number, line, "an unknown word"))?;
            if letters.ids.values().flatten().any(|before| before == id) {
                return Err(wrong(number, line, "judged twice"));
            }
            letters.ids.entry(letter).or_default().push(id.to_owned());
        }
        if letters.ids.is_empty() {
            let reason = "the table of checked letters judges no image";
            return Err(LabError::Data(format!("{reason}; hint: lines are id,outside|touching|inside|none")));
        }
        letters.ids.values_mut().for_each(|ids| ids.sort_by(|a, b| by_id(a, b)));
        Ok(letters)
    }

    fn count(&self, letter: Letter) -> usize {
        self.ids.get(&letter).map_or(0, Vec::len)
    }

    /// The row of the report's table.
    pub(crate) fn to_row(&self) -> String {
        let (touching, inside) = (self.count(Letter::Touching), self.count(Letter::Inside));
        let (outside, none) = (self.count(Letter::Outside) + touching, self.count(Letter::None));
        format!(
            "| letters of lead outside the mask, {} images checked by eye | all | {outside} of {} \
             (no letter on {none}) |\n",
            outside + inside + none,
            outside + inside,
        )
    }

    /// The report's section: how the sample was drawn, and the ids that are not clear of the mask.
    pub(crate) fn to_section(&self) -> String {
        let mut text = String::from("\n## Letters of lead, checked by eye\n\n");
        if !self.notes.is_empty() {
            text.push_str(&self.notes.join(" "));
            text.push_str("\n\n");
        }
        text.push_str("| the letter is | images | ids |\n|---|---|---|\n");
        let rows = [
            (Letter::Outside, "outside, clear of the mask"),
            (Letter::Touching, "outside, its plate against the mask"),
            (Letter::Inside, "inside the mask"),
            (Letter::None, "not on the film"),
        ];
        for (letter, meaning) in rows {
            let ids = self.ids.get(&letter).filter(|_| letter != Letter::Outside);
            let listed = ids.map(|ids| ids.join(", ")).unwrap_or_default();
            text.push_str(&format!("| {meaning} | {} | {listed} |\n", self.count(letter)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_are_counted_and_those_not_clear_are_named() {
        let table = "# drawn by lot\nid,letter\n12,inside\n7,touching\n9,outside\n8,none\n3,inside\n";
        let letters = Letters::read(table).unwrap();
        assert!(letters.to_row().contains("5 images checked by eye | all | 2 of 4 (no letter on 1) |"));
        let section = letters.to_section();
        assert!(section.contains("drawn by lot") && section.contains("| inside the mask | 2 | 3, 12 |"));
        assert!(section.contains("| outside, clear of the mask | 1 |  |"), "{section}");
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        let message = |table: &str| Letters::read(table).unwrap_err().to_string();
        assert!(message("id,letter\n7,perhaps\n").contains("line 2"));
        assert!(message("7,inside\n7,outside\n").contains("judged twice"));
        assert!(message("7\n").contains("no comma"));
        assert!(message("id,letter\n").contains("judges no image"));
    }
}
