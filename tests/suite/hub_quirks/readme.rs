//! The README's table and the tests agree: each row has its test, each test its row.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of the tests in this folder, but for this file, and for the switch that turns a quirk off.
fn tests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/hub_quirks");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "readme.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut is_test = false;
        for line in text.lines() {
            if line.starts_with("#[tokio::test") || line.starts_with("#[test]") {
                is_test = true;
            } else if let Some(rest) = line.split("fn ").nth(1).filter(|_| is_test) {
                let name = rest.split('(').next().unwrap();
                if !name.starts_with("strict_") {
                    names.insert(name.to_owned());
                }
                is_test = false;
            }
        }
    }
    assert!(names.len() > 30, "{names:?}");
    names
}

/// The cells of the tables in the section, row by row, without heads and rules.
fn tables() -> Vec<Vec<Vec<String>>> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = readme.split("\n## Quirks of the real hub\n").nth(1).expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        if line.starts_with('|') {
            if !inside {
                tables.push(Vec::new());
            }
            // A bar within a cell is escaped.
            let cells = line.trim_matches('|').replace("\\|", "\u{0}");
            let cells = cells.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect();
            tables.last_mut().unwrap().push(cells);
        }
        inside = line.starts_with('|');
    }
    for table in &mut tables {
        assert!(table[1].iter().all(|cell| cell.starts_with("---")), "{:?}", table[1]);
        table.drain(..2);
        assert!(table.iter().all(|row| row.len() == 3 && row.iter().all(|cell| !cell.is_empty())), "{table:?}");
    }
    tables
}

#[test]
fn every_row_has_its_test_and_every_test_its_row() {
    let tables = tables();
    assert_eq!(tables.len(), 2, "what surprises, and what is unconfirmed");
    let named: Vec<String> = tables[0].iter().map(|row| row[2].trim_matches('`').to_owned()).collect();
    let rows: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(rows.len(), named.len(), "no test stands for two rows");
    assert_eq!(rows, tests());
}
