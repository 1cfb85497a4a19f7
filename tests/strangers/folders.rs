//! Folders with what is no file, with names that are no names, and files that change while they are read.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fer_data::{DataError, Dataset, OpenSettings, Picture, files_below, open, printable};
use fer_trials::{Effort, Trial, again, is_again};
use image::{GrayImage, Luma};

use crate::memory::within;
use crate::watch::in_time;

pub(crate) const TRIALS: [Trial; 4] = [
    Trial {
        name: "folders::things",
        promise: "pipes, devices, sockets and loops of links are left out by name, whoever names them: nothing hangs, \
                  and no device is read",
        run: things,
    },
    Trial {
        name: "folders::permission",
        promise: "what may not be read is left out by name",
        run: permission,
    },
    Trial {
        name: "folders::names",
        promise: "a file of any name is used, also where that is no UTF-8, and no message holds a letter that \
                  steers a terminal",
        run: names,
    },
    Trial {
        name: "folders::changes",
        promise: "a file that is cut, grows, vanishes or becomes a pipe or a device while it is read is used as it \
                  was at a moment, or left out",
        run: changes,
    },
];

/// What reading such a folder may hold at once, in bytes.
const MOST: usize = 64 << 20;

/// A folder of two classes with six faces each.
fn faces(at: &Path) -> Result<()> {
    for class in ["happy", "sad"] {
        fs::create_dir_all(at.join(class))?;
        for number in 0..6 {
            face(
                &at.join(class).join(format!("{number}.png")),
                40 * number + class.len() as u8,
            )?;
        }
    }
    Ok(())
}

fn face(path: &Path, value: u8) -> Result<()> {
    let picture = GrayImage::from_pixel(48, 48, Luma([value]));
    Ok(picture.save_with_format(path, image::ImageFormat::Png)?)
}

fn opened(path: &Path) -> Result<Dataset> {
    let path = path.to_path_buf();
    let name = path.display().to_string();
    let opened = within(&name, MOST, || {
        in_time(&name, move || open(&path, &OpenSettings::default()))
    })??;
    Ok(opened?)
}

fn pipe(path: &Path) -> Result<()> {
    let made = Command::new("mkfifo").arg(path).status()?;
    ensure!(made.success(), "mkfifo {}", path.display());
    Ok(())
}

/// What is no picture, each with a name of one, and what is said of it in a folder.
fn put_things(at: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
    let inside = |name: &str| at.join("happy").join(name);
    pipe(&inside("pipe.png"))?;
    let _listener = UnixListener::bind(inside("socket.png"))?;
    for device in ["zero", "random", "null", "tty"] {
        symlink(
            Path::new("/dev").join(device),
            inside(&format!("{device}.png")),
        )?;
    }
    symlink("/proc/self/mem", inside("memory.png"))?;
    symlink("/proc/kmsg", inside("kernel.png"))?;
    symlink(inside("gone.png"), inside("nowhere.png"))?;
    symlink(inside("round.png"), inside("round.png"))?;
    symlink(at, inside("above"))?;
    symlink(inside(""), inside("itself"))?;
    fs::write(inside("empty.png"), b"")?;
    let large = fs::File::create(inside("large.png"))?;
    large.set_len(1 << 40)?;
    let said = [
        ("pipe.png", "neither file nor folder"),
        ("socket.png", "neither file nor folder"),
        ("zero.png", "neither file nor folder"),
        ("random.png", "neither file nor folder"),
        ("null.png", "neither file nor folder"),
        ("tty.png", "neither file nor folder"),
        ("memory.png", "empty file"),
        ("kernel.png", "empty file"),
        ("nowhere.png", "link that leads nowhere"),
        ("round.png", "cannot be read"),
        ("above", "link to a folder that it lies in"),
        ("itself", "link to a folder that it lies in"),
        ("empty.png", "empty file"),
        ("large.png", "named like a picture, but is none"),
    ];
    Ok(said.map(|(name, said)| (inside(name), said)).to_vec())
}

fn things(_: &Effort) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    faces(at)?;
    let things = put_things(at)?;
    let dataset = opened(at)?;
    ensure!(dataset.len() == 12, "{} pictures", dataset.len());
    for (path, said) in &things {
        let path = path.display().to_string();
        let mut left_out = dataset.skipped().iter();
        let found = left_out.find(|one| one.entry == path);
        let found = found
            .with_context(|| format!("{path} is not told"))?
            .sentence();
        ensure!(found.contains(said), "{found}");
    }
    let listed = files_below(at)?.files.len();
    ensure!(listed == 12 + 4, "{listed} files are listed");
    manifest(at, &things)?;
    for (path, _) in &things {
        let (name, own) = (path.display().to_string(), path.clone());
        let read = within(&name, MOST, || in_time(&name, move || Picture::open(&own)))??;
        let said = read
            .err()
            .with_context(|| format!("{name} was decoded"))?
            .to_string();
        ensure!(said.contains(&name), "{said}");
    }
    Ok(format!(
        "{} things in a folder, in a manifest and by name: all were left out by name",
        things.len()
    ))
}

/// Each of them in a manifest, and tables that are none.
fn manifest(at: &Path, things: &[(PathBuf, &str)]) -> Result<()> {
    let rows = (0..6).map(|n| format!("happy/{n}.png,happy\nsad/{n}.png,sad\n"));
    let named = things
        .iter()
        .map(|(path, _)| format!("{},sad\n", path.display()));
    let text: String = rows.chain(named).collect();
    fs::write(at.join("list.csv"), format!("path,label\n{text}"))?;
    let dataset = opened(&at.join("list.csv"))?;
    ensure!(
        dataset.len() == 12 && dataset.skipped().len() == things.len(),
        "{:?}",
        dataset.skipped()
    );
    for table in ["happy/pipe.png", "happy/zero.png", "happy/socket.png"] {
        for name in ["table.csv", "table.csv.gz"] {
            symlink(at.join(table), at.join(name))?;
            let refused = opened(&at.join(name))
                .err()
                .context("it was read")?
                .to_string();
            ensure!(refused.contains(name), "{refused}");
            fs::remove_file(at.join(name))?;
        }
    }
    fs::remove_file(at.join("list.csv"))?;
    Ok(())
}

/// A file and a folder without permission, in a folder and by name.
fn permission(_: &Effort) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    faces(at)?;
    let (file, inner) = (at.join("sad/secret.png"), at.join("sad/secrets"));
    face(&file, 3)?;
    fs::create_dir(&inner)?;
    for path in [&file, &inner] {
        fs::set_permissions(path, Permissions::from_mode(0o000))?;
    }
    if fs::read(&file).is_ok() {
        // The superuser may read all, unless that right is taken away.
        ensure!(!is_again(), "{} can be read still", file.display());
        let without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
        again("folders::permission", &without, &[])?;
        return Ok(DENIED.into());
    }
    let dataset = opened(at)?;
    ensure!(dataset.len() == 12, "{} pictures", dataset.len());
    for path in [&file, &inner] {
        let name = path.display().to_string();
        let mut left_out = dataset.skipped().iter();
        let told =
            left_out.any(|one| one.entry == name && one.sentence().contains("cannot be read"));
        let refused = Picture::open(path)
            .err()
            .context("it was read")?
            .to_string();
        ensure!(
            told && refused.contains(&name),
            "{refused} {:?}",
            dataset.skipped()
        );
    }
    fs::set_permissions(&inner, Permissions::from_mode(0o700))?;
    Ok(DENIED.into())
}

const DENIED: &str = "a file and a folder, in a folder and by name: both were left out by name";

fn names(_: &Effort) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    faces(at)?;
    let strange: [&[u8]; 9] = [
        b"caf\xe9.png",
        b"\xff\xfe\x80.png",
        b"a\x1b[2J\x1b]0;title\x07.png",
        b"b\nerror: c.png",
        b"d\r\xc2\x9b31m.png",
        "gnp.\u{202e}exe".as_bytes(),
        b"=1+1.png",
        b"-rf.png",
        b"<img src=x onerror=alert(1)>.png",
    ];
    let mut seen = Vec::new();
    for (number, name) in strange.iter().enumerate() {
        let path = at.join("happy").join(OsStr::from_bytes(name));
        face(&path, 200 + number as u8)?;
        ensure!(Picture::open(&path).is_ok(), "{}", path.display());
        seen.push(path);
    }
    ensure!(opened(at)?.len() == 12 + strange.len(), "not all are used");
    for path in &seen {
        fs::write(path, b"\x89PNG\r\n\x1a\n")?;
    }
    let dataset = opened(at)?;
    ensure!(
        dataset.len() == 12 && dataset.skipped().len() == strange.len(),
        "not all are told"
    );
    let mut messages: Vec<String> = dataset.skipped().iter().map(|one| one.sentence()).collect();
    let errors = seen.iter().filter_map(|path| Picture::open(path).err());
    messages.extend(errors.map(|error: DataError| error.to_string()));
    for path in &seen {
        fs::remove_file(path)?;
    }
    for name in strange {
        // A folder of such a name is a label that cannot be used, or one class more.
        let class = at.join(OsStr::from_bytes(name));
        fs::create_dir(&class)?;
        fs::copy(at.join("sad/0.png"), class.join("0.png"))?;
        match opened(at) {
            Ok(dataset) => messages.extend(dataset.skipped().iter().map(|one| one.sentence())),
            Err(error) => messages.push(error.to_string()),
        }
        fs::remove_dir_all(class)?;
    }
    for said in &messages {
        ensure!(printable(said) == *said, "{said:?}");
    }
    Ok(format!(
        "{} names, {} messages",
        strange.len(),
        messages.len()
    ))
}

fn changes(effort: &Effort) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let at = folder.path().to_path_buf();
    faces(&at)?;
    let path = at.join("happy/0.png");
    let (whole, ready) = (fs::read(&path)?, at.join(".ready"));
    fs::create_dir(&ready)?;
    let stop = Arc::new(AtomicBool::new(false));
    let changing = thread::spawn({
        let (stop, path) = (stop.clone(), path.clone());
        move || -> Result<usize> {
            let mut changes = 0;
            while !stop.load(Ordering::Relaxed) {
                change(changes, &path, &ready, &whole)?;
                thread::sleep(Duration::from_micros(100));
                changes += 1;
            }
            Ok(changes)
        }
    });
    let rounds = 300 * effort.rounds;
    let mut used = 0;
    for _ in 0..rounds {
        let dataset = opened(&at)?;
        ensure!(
            dataset.len() == 12 || dataset.len() == 11,
            "{} pictures",
            dataset.len()
        );
        used += usize::from(dataset.len() == 12);
        let own = path.clone();
        let read = within("a file that changes", MOST, || {
            in_time("a file", move || Picture::open(&own))
        })??;
        used += usize::from(read.is_ok());
    }
    stop.store(true, Ordering::Relaxed);
    let changes = changing.join().map_err(|_| anyhow::anyhow!("a panic"))??;
    Ok(format!(
        "{} readings during {changes} changes, {used} of them whole",
        2 * rounds
    ))
}

/// Puts something else at `path`, in place of what is there.
fn change(number: usize, path: &Path, ready: &Path, whole: &[u8]) -> Result<()> {
    let other = ready.join("other");
    match number % 10 {
        0 | 6..=8 => fs::write(path, whole)?,
        1 => fs::write(path, &whole[..whole.len() / 2])?,
        2 => {
            symlink("/dev/zero", &other)?;
            fs::rename(&other, path)?;
        }
        3 => {
            pipe(&other)?;
            fs::rename(&other, path)?;
        }
        4 => fs::remove_file(path)?,
        _ => {
            fs::write(&other, [whole, &[0; 100_000]].concat())?;
            fs::rename(&other, path)?;
        }
    }
    Ok(())
}
