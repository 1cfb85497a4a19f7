#![expect(clippy::unwrap_used, reason = "tests")]

use super::spill::BLOCK;
use super::*;

fn pixels(number: usize) -> [u8; PIXELS] {
    std::array::from_fn(|place| (place * 7 + number * 13) as u8)
}

fn picture(number: usize) -> Picture {
    Picture::from_array(&pixels(number))
}

fn gathered(settings: &MemorySettings, count: usize) -> Decoded {
    let mut gathering = Gathering::new(settings, 0);
    (0..count).for_each(|number| gathering.push(picture(number)).unwrap());
    assert_eq!(gathering.len(), count);
    gathering.finish().unwrap()
}

#[test]
fn what_is_taken_up_is_read_back_in_memory_and_on_disk_whatever_the_order() {
    let folder = tempfile::tempdir().unwrap();
    for count in [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
        let whole = count as u64 * MemorySettings::PICTURE;
        for (bound, on_disk) in [
            (whole, false),
            (whole - 1, true),
            (whole / 2, true),
            (0, true),
        ] {
            let settings = MemorySettings {
                bound,
                spill_folder: Some(folder.path().to_path_buf()),
            };
            let decoded = gathered(&settings, count);
            assert_eq!(
                decoded.spill_folder().is_some(),
                on_disk,
                "{count} in {bound}"
            );
            for number in (0..count).rev() {
                let read = decoded.with(number, |pixels| *pixels).unwrap();
                assert_eq!(read, pixels(number), "{number} of {count} in {bound}");
            }
        }
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "the files have no names");
}

#[test]
fn a_folder_that_takes_no_file_is_named_with_the_bytes_and_the_settings() {
    let settings = MemorySettings {
        bound: 2 * MemorySettings::PICTURE,
        spill_folder: Some("no/such/folder".into()),
    };
    let mut gathering = Gathering::new(&settings, 1000);
    gathering.push(picture(0)).unwrap();
    gathering.push(picture(1)).unwrap();
    let said = gathering.push(picture(2)).unwrap_err().to_string();
    for words in [
        "no/such/folder",
        "2304000 bytes",
        "data.memory",
        "data.spill_folder",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
