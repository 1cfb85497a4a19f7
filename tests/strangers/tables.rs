//! Tables that are small as files and unpack to very much, or whose rows do not end.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use fer_data::{Dataset, OpenSettings, open};
use fer_trials::{Effort, Trial};

use crate::bombs::packed;
use crate::memory::within;
use crate::watch::in_time;

pub(crate) const TRIALS: [Trial; 2] = [
    Trial {
        name: "tables::bombs",
        promise: "a table of few bytes that unpacks to very many, or a row that does not end, is refused with \
                  its reason and costs at most 192 MiB",
        run: bombs,
    },
    Trial {
        name: "tables::cells",
        promise: "a cell that is no path, label or name of a class is refused by its row or its class, with what \
                  to do",
        run: cells,
    },
];

/// What reading such a table may hold at once, in bytes.
const MOST: usize = 192 << 20;

const CSV: &str = "emotion,pixels,Usage\n";
const MANIFEST: &str = "path,label\n";

/// Opens `file`, which must be refused with these `words`.
fn refused(folder: &Path, name: &str, bytes: &[u8], words: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, bytes)?;
    let opened = within(name, MOST, || {
        in_time(name, move || open(&path, &OpenSettings::default()))
    })??;
    let said = opened
        .err()
        .with_context(|| format!("{name} was read"))?
        .to_string();
    ensure!(said.contains(name) && said.contains(words), "{said}");
    ensure!(
        said.len() < 1000 && !said.contains(char::is_control),
        "{said}"
    );
    Ok(())
}

fn bombs(effort: &Effort) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    let megabytes = if effort.long { 20_000 } else { 2000 };
    let zeros = vec![0; 1 << 20];
    let mut done = 0;
    let mut each = |name: &str, [gzip, zstd]: [Vec<u8>; 2], words: &str| -> Result<()> {
        refused(at, &format!("{name}.csv.gz"), &gzip, words)?;
        refused(at, &format!("{name}.csv.zst"), &zstd, words)?;
        done += 2;
        Ok(())
    };
    each(
        "zeros",
        packed("", &zeros, megabytes),
        "longer than 1048576 bytes",
    )?;
    each(
        "pixels",
        packed(CSV, &zeros, megabytes),
        "longer than 1048576 bytes",
    )?;
    each(
        "path",
        packed(MANIFEST, &zeros, megabytes),
        "longer than 1048576 bytes",
    )?;
    let quoted = b"a.png,\"happy\na.png,happy\n".repeat(40_000);
    each("quote", packed(MANIFEST, &quoted, 10), "several lines")?;
    let open_quote = packed(
        "path,label\n\"a.png,happy\n",
        &b"a.png,happy\n".repeat(80_000),
        5,
    );
    each("open", open_quote, "longer than 1048576 bytes")?;
    let empty = b"\n".repeat(1 << 20);
    let junk = b"x,y\n".repeat(1 << 18);
    each("junk", packed(CSV, &junk, 4), "so many rows are malformed")?;
    let junk = b"x\n".repeat(1 << 19);
    each(
        "rows",
        packed(MANIFEST, &junk, 4),
        "so many rows are malformed",
    )?;
    let [_, lines] = packed(CSV, &empty, 2000);
    refused(at, "lines.csv.zst", &lines, "more than 200 times")?;
    let plain = [MANIFEST.as_bytes(), &vec![b'x'; 256 << 20]].concat();
    refused(at, "plain.csv", &plain, "longer than 1048576 bytes")?;
    Ok(format!(
        "{} tables, packed from {megabytes} MB and less: all were refused, each with at most {} MiB held",
        done + 2,
        MOST >> 20
    ))
}

fn cells(_: &Effort) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    for class in ["sad", "happy"] {
        for number in 0..6 {
            let value = 40 * number + class.len() as u8;
            let face = image::GrayImage::from_pixel(48, 48, image::Luma([value]));
            face.save(at.join(format!("{class}{number}.png")))?;
        }
    }
    let rows: String = (0..6)
        .map(|n| format!("sad{n}.png,sad\nhappy{n}.png,happy\n"))
        .collect();
    let read = |more: &str| -> Result<Dataset, String> {
        let path = at.join("manifest.csv");
        fs::write(&path, format!("{MANIFEST}{rows}{more}")).unwrap();
        let settings = OpenSettings {
            layout: Some(fer_data::Layout::Manifest),
            ..OpenSettings::default()
        };
        open(&path, &settings).map_err(|error| error.to_string())
    };
    let long = "x".repeat(5000);
    let listed = [
        (format!("{long},sad\n"), "row 13"),
        (format!("a.png,{long}\n"), "row 13"),
        ("/dev/zero,sad\n".into(), "row 13"),
        ("/proc/self/mem,sad\n".into(), "/proc/self/mem: empty file"),
        ("a\u{1b}[2J.png,sad\n".into(), "row 13"),
        (
            "../../../../../../etc/passwd,sad\n".into(),
            "/etc/passwd: file of another kind",
        ),
    ];
    for (row, words) in &listed {
        let dataset = read(row).map_err(anyhow::Error::msg)?;
        let left_out = dataset.skipped().first();
        let said = left_out.context("nothing was left out")?.sentence();
        ensure!(dataset.len() == 12 && said.contains(words), "{said}");
        ensure!(
            !said.contains(char::is_control) && said.len() < 1000,
            "{said}"
        );
    }
    let many: String = (0..1001)
        .map(|number| format!("{number}.png,class {number}\n"))
        .collect();
    let refused = [
        ("sad0.png,sad\u{202e}\n".to_string(), "cannot be shown"),
        ("sad0.png,s\u{1b}[31mad\n".into(), "cannot be shown"),
        (
            format!("sad0.png,{}\n", "x".repeat(101)),
            "more than 100 letters",
        ),
        (many, "more than 1000"),
    ];
    for (row, words) in &refused {
        let said = read(row).err().with_context(|| format!("{row} was read"))?;
        ensure!(
            said.contains(words) && said.contains("--label-map"),
            "{said}"
        );
        ensure!(!said.contains(char::is_control), "{said}");
    }
    Ok(format!(
        "{} cells left out by their row, {} labels refused",
        listed.len(),
        refused.len()
    ))
}
