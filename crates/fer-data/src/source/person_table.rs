//! The table of people beside their folders: age, gender, country by the number of the set.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use crate::notice::{Notice, listed};
use crate::regular::read_regular;
use crate::skipped::{Skipped, reason};
use crate::source::arrangement::Arrangement;
use crate::source::manifest::bare;

/// The longest table of people, in bytes, that is read.
const MOST_BYTES: u64 = 16 << 20;

/// Names, without case and what joins words, of the column that tells the person.
const NAMES: [&str; 12] = [
    "setid",
    "id",
    "personid",
    "subjectid",
    "person",
    "subject",
    "folder",
    "set",
    "name",
    "userid",
    "user",
    "participant",
];

/// What is known of each person.
#[derive(Default)]
pub(crate) struct PersonTable {
    pub(crate) columns: Vec<String>,
    rows: BTreeMap<String, Vec<Option<String>>>,
}

impl PersonTable {
    /// Looks for the table among those beside the folders, then in the folder above, where a table
    /// of other people too is not taken. Tables beside the folders that are not of these people join
    /// what is left out.
    pub(crate) fn find(
        arrangement: &Arrangement,
        people: &[&str],
        skipped: &mut Vec<Skipped>,
        notices: &mut Vec<Notice>,
    ) -> Self {
        let people: BTreeSet<&str> = people.iter().copied().collect();
        let mut found = None;
        for path in &arrangement.tables {
            match PersonTable::read(path, &people) {
                Some(table) if found.is_none() => found = Some((path.clone(), table)),
                _ => {
                    let detail = "a table that tells nothing of the people";
                    let entry = path.display().to_string();
                    skipped.push(Skipped::new(entry, reason::OTHER_FILE, detail));
                }
            }
        }
        let found = found.or_else(|| {
            let mut tables = tables_above(&arrangement.top).into_iter();
            tables.find_map(|path| {
                let table = PersonTable::read(&path, &people)?;
                // Above lies what has nothing to do with these people: it may not know others.
                let own = |person: &String| people.contains(person.as_str());
                table.rows.keys().all(own).then_some((path, table))
            })
        });
        let Some((path, table)) = found else {
            return PersonTable::default();
        };
        let missing: Vec<&str> = people
            .into_iter()
            .filter(|person| !table.rows.contains_key(*person))
            .collect();
        let of_whom = match missing.len() {
            0 => "each of them".to_string(),
            _ => format!("all but {}", listed(&missing, 6)),
        };
        notices.push(Notice::note(
            format!(
                "{} tells the {} of {of_whom}",
                path.display(),
                table.columns.join(", "),
            ),
            "",
        ));
        table
    }

    /// What is known of `person`, one value a column.
    pub(crate) fn values(&self, person: &str) -> Vec<Option<String>> {
        let row = self.rows.get(person).cloned();
        row.unwrap_or_else(|| vec![None; self.columns.len()])
    }

    /// Reads a table, if it has a column that names at least half of the people.
    fn read(path: &Path, people: &BTreeSet<&str>) -> Option<Self> {
        let bytes = read_regular(path, MOST_BYTES).ok()?;
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(bytes.as_slice());
        let header = reader.headers().ok()?.clone();
        let records: Vec<StringRecord> = reader.records().collect::<Result<_, _>>().ok()?;
        let person_column = NAMES.iter().find_map(|name| {
            let column = header.iter().position(|column| bare(column) == *name)?;
            let named: BTreeSet<&str> = records
                .iter()
                .filter_map(|record| record.get(column).map(str::trim))
                .filter(|value| people.contains(value))
                .collect();
            (2 * named.len() >= people.len()).then_some(column)
        })?;
        let others: Vec<usize> = (0..header.len())
            .filter(|&column| column != person_column && !header[column].trim().is_empty())
            .collect();
        let mut rows = BTreeMap::new();
        for record in &records {
            let Some(person) = record.get(person_column) else {
                continue;
            };
            let value = |&column: &usize| {
                let value = record.get(column)?.trim();
                (!value.is_empty()).then(|| value.to_string())
            };
            rows.entry(person.trim().to_string())
                .or_insert_with(|| others.iter().map(value).collect());
        }
        Some(PersonTable {
            columns: others
                .iter()
                .map(|&column| header[column].trim().to_string())
                .collect(),
            rows,
        })
    }
}

/// The tables in the folder above `top`, sorted by name.
fn tables_above(top: &Path) -> Vec<PathBuf> {
    let Some(above) = fs::canonicalize(top)
        .ok()
        .and_then(|top| top.parent().map(Path::to_path_buf))
    else {
        return Vec::new();
    };
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    let mut tables: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|word| word.eq_ignore_ascii_case("csv"))
        })
        .filter(|path| path.is_file())
        .collect();
    tables.sort_unstable();
    tables
}
