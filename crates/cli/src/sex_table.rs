use anyhow::{Context, anyhow, bail};
use boneage_core::{Sex, SexGiven, SexSource};
use std::collections::HashMap;
use std::path::Path;

/// Who is a girl and who a boy, as far as it was told.
#[derive(Debug, Default)]
pub(crate) struct Sexes {
    table: HashMap<String, Sex>,
    given: Option<Sex>,
}

impl Sexes {
    /// From `--sex` and the text of `--sex-csv`.
    ///
    /// The table has the columns `file` and `sex`, or `id` and `male` as RSNA's; others are ignored. A file is
    /// named by its path as typed, its name, or its name without ending.
    ///
    /// # Errors
    /// Names the line of a word that is no sex, and a file that is told twice with different sexes.
    pub(crate) fn new(given: Option<Sex>, table: Option<(&Path, &str)>) -> anyhow::Result<Self> {
        let mut sexes = Sexes { table: HashMap::new(), given };
        if let Some((path, text)) = table {
            sexes.read(text).with_context(|| format!("sex table {}", path.display()))?;
        }
        Ok(sexes)
    }

    fn read(&mut self, text: &str) -> anyhow::Result<()> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let headers = reader.headers()?.clone();
        let column = |names: [&str; 3]| {
            let named = |header: &str| {
                names.iter().any(|name| header.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
            };
            headers.iter().position(named)
        };
        let (Some(file), Some(sex)) = (column(["file", "id", "image id"]), column(["sex", "male", "male"]))
        else {
            let found = headers.iter().collect::<Vec<_>>().join(", ");
            bail!("has the columns {found}; hint: needs file and sex, or id and male");
        };
        for record in reader.records() {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            let (Some(file), Some(word)) = (record.get(file), record.get(sex)) else { continue };
            // An empty cell says that nobody knows.
            if word.is_empty() {
                continue;
            }
            let sex: Sex = word.parse().map_err(|error| anyhow!("line {line}: {error}"))?;
            if let Some(before) = self.table.insert(file.to_owned(), sex)
                && before != sex
            {
                bail!("line {line}: {file} is {sex} here and {before} above; hint: keep one line a file");
            }
        }
        Ok(())
    }

    /// The sex that was given for a file: the table's word, else that of `--sex`, else none.
    pub(crate) fn of(&self, file: &Path) -> SexGiven {
        let whole = file.to_str();
        let name = file.file_name().and_then(|name| name.to_str());
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let told = [whole, name, stem].into_iter().flatten().find_map(|key| self.table.get(key));
        match (told, self.given) {
            (Some(&sex), _) => SexGiven { value: Some(sex), source: SexSource::Table },
            (None, Some(sex)) => SexGiven { value: Some(sex), source: SexSource::Given },
            (None, None) => SexGiven { value: None, source: SexSource::Unknown },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sexes(given: Option<Sex>, text: &str) -> anyhow::Result<Sexes> {
        Sexes::new(given, Some((Path::new("table.csv"), text)))
    }

    #[test]
    fn reads_our_columns_and_those_of_rsna() {
        let ours = sexes(None, "file,sex\na/1.png,m\n2.png,female\n3,\n").unwrap();
        assert_eq!(
            ours.of(Path::new("a/1.png")),
            SexGiven { value: Some(Sex::Male), source: SexSource::Table }
        );
        assert_eq!(ours.of(Path::new("b/2.png")).value, Some(Sex::Female));
        assert_eq!(ours.of(Path::new("3.png")), SexGiven { value: None, source: SexSource::Unknown });
        let rsna = sexes(Some(Sex::Male), "id,boneage,male\n1377,180,False\n").unwrap();
        assert_eq!(rsna.of(Path::new("1377.png")).value, Some(Sex::Female));
        assert_eq!(
            rsna.of(Path::new("1378.png")),
            SexGiven { value: Some(Sex::Male), source: SexSource::Given }
        );
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        let message = |text| format!("{:#}", sexes(None, text).unwrap_err());
        assert!(message("file,sex\n1,f\n2,boy\n").contains("line 3: sex \"boy\""));
        assert!(message("file,sex\n1,f\n1,m\n").contains("line 3: 1 is male here and female above"));
        assert!(message("name,gender\n").contains("columns name, gender"));
    }
}
