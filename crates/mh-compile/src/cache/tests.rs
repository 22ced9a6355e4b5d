#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;
use crate::compile::Argument;
use crate::ir::{Shape, Source};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("manyhands-test-{}-{}", std::process::id(), unique()));
        DirBuilder::new().mode(0o700).create(&path).unwrap();
        Folder(path)
    }

    fn files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(&self.0).unwrap().map(|item| item.unwrap().path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(0o700));
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn entry(object: &[u8], dependencies: &[u8]) -> Entry {
    let source =
        Source { file: "a.py".into(), function: "f".into(), first_line: 3, text: "def f(): \"ä\"\n".into() };
    let info = Info {
        arguments: vec![Argument::None, Argument::Tuple(vec![])],
        result: Shape::None,
        hidden: vec![1, 2],
        sources: vec![source],
        exceptions: Vec::new(),
        sites: Vec::new(),
        notices: Vec::new(),
        short: true,
        random: false,
    };
    Entry { info, object: object.to_vec(), dependencies: dependencies.to_vec() }
}

#[test]
fn what_is_stored_is_loaded() {
    let folder = Folder::new();
    let cache = Cache::at(&folder.0.join("deep/er"), LIMIT);
    assert_eq!(cache.load(b"key", |_| true), None);
    cache.store(b"key", &entry(b"object", b"globals")).unwrap();
    assert_eq!(
        cache.load(b"key", |dependencies| dependencies == b"globals"),
        Some(entry(b"object", b"globals"))
    );
    assert_eq!(cache.load(b"key", |_| false), None);
    assert_eq!(cache.load(b"other key", |_| true), None);
    assert_eq!(cache.word(), None);
}

#[test]
fn a_key_has_variants_the_latest_first() {
    let folder = Folder::new();
    let cache = Cache::at(&folder.0, LIMIT);
    for number in 0..12_u8 {
        cache.store(b"key", &entry(&[number], &[number])).unwrap();
    }
    cache.store(b"key", &entry(b"again", &[7])).unwrap();
    let mut seen = Vec::new();
    cache.load(b"key", |dependencies| {
        seen.push(dependencies[0]);
        false
    });
    assert_eq!(seen, [7, 11, 10, 9, 8, 6, 5, 4]);
    assert_eq!(cache.load(b"key", |dependencies| dependencies == [7]).unwrap().object, b"again");
    assert_eq!(cache.load(b"key", |dependencies| dependencies == [9]).unwrap().object, [9]);
    assert_eq!(folder.files().len(), 1);
}

#[test]
fn a_file_under_anothers_name_is_not_taken() {
    let folder = Folder::new();
    let cache = Cache::at(&folder.0, LIMIT);
    cache.store(b"one", &entry(b"object", b"")).unwrap();
    std::fs::rename(folder.0.join(format::name(b"one")), folder.0.join(format::name(b"two"))).unwrap();
    assert_eq!(cache.load(b"two", |_| true), None);
}

#[test]
fn what_others_may_write_is_not_taken() {
    let folder = Folder::new();
    let cache = Cache::at(&folder.0, LIMIT);
    cache.store(b"key", &entry(b"object", b"")).unwrap();
    std::fs::set_permissions(&folder.files()[0], std::fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(cache.load(b"key", |_| true), None);
    cache.store(b"key", &entry(b"object", b"")).unwrap();
    assert!(cache.load(b"key", |_| true).is_some());
    std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(cache.store(b"key", &entry(b"object", b"")).is_err());
    assert!(cache.word().unwrap().contains("others may write"));
}

#[test]
fn a_folder_that_cannot_be_written_is_replaced_with_a_word() {
    let folder = Folder::new();
    let file = folder.0.join("file");
    std::fs::write(&file, "").unwrap();
    let cache = Cache::new(vec![file.join("cache"), folder.0.join("instead")], LIMIT);
    cache.store(b"key", &entry(b"object", b"")).unwrap();
    let word = cache.word().unwrap();
    assert!(
        word.contains("file/cache") && word.contains("instead") && word.contains("MANYHANDS_CACHE_DIR"),
        "{word}"
    );
    assert_eq!(cache.word(), None, "said once");
    assert!(cache.load(b"key", |_| true).is_some());
    let nowhere = Cache::at(&file.join("cache"), LIMIT);
    assert!(nowhere.store(b"key", &entry(b"object", b"")).is_err());
    assert_eq!(nowhere.load(b"key", |_| true), None);
}

#[test]
fn the_least_recently_used_go() {
    let folder = Folder::new();
    let cache = Cache::at(&folder.0, 5000);
    let now = SystemTime::now();
    for number in 0..10_u8 {
        cache.store(&[number], &entry(&[number; 500], b"")).unwrap();
        let file = File::open(folder.0.join(format::name(&[number]))).unwrap();
        file.set_modified(now - Duration::from_secs(10_000 + u64::from(number) * 1000)).unwrap();
    }
    let litter = folder.0.join(format!(".{}-1-1", format::name(b"x")));
    std::fs::write(&litter, "half").unwrap();
    File::open(&litter).unwrap().set_modified(now - 2 * FRESH).unwrap();
    std::fs::write(folder.0.join("somebody else's"), [0; 9000]).unwrap();
    // Used just now, though the oldest.
    assert!(cache.load(&[9], |_| true).is_some());
    cache.trim();
    let left: Vec<u8> = (0..10).filter(|&number| cache.load(&[number], |_| true).is_some()).collect();
    assert!(left.contains(&9) && left.contains(&0) && !left.contains(&8), "{left:?}");
    let size: u64 = left
        .iter()
        .map(|&number| std::fs::metadata(folder.0.join(format::name(&[number]))).unwrap().len())
        .sum();
    assert!((3000..=5000).contains(&size), "{size}");
    assert!(!litter.exists() && folder.0.join("somebody else's").exists());
}

#[test]
fn many_threads_store_and_load_at_once() {
    let folder = Folder::new();
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let folder = &folder;
            scope.spawn(move || {
                // As processes: each has a cache of its own.
                let cache = Cache::at(&folder.0, LIMIT);
                for round in 0..100_u8 {
                    let key = [round % 5];
                    cache.store(&key, &entry(&[thread; 3000], &[thread])).unwrap();
                    // Somebody has stored under it, and whatever is there is whole.
                    let found = cache.load(&key, |_| true).unwrap();
                    assert_eq!(found, entry(&[found.dependencies[0]; 3000], &found.dependencies));
                }
            });
        }
    });
    assert_eq!(folder.files().len(), 5, "nothing is left over");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A damaged file is as none, and is replaced.
    #[test]
    fn damage_is_seen(at in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<bool>()) {
        let folder = Folder::new();
        let cache = Cache::at(&folder.0, LIMIT);
        cache.store(b"key", &entry(b"object", b"globals")).unwrap();
        let file = &folder.files()[0];
        let mut bytes = std::fs::read(file).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << bit }
        std::fs::write(file, &bytes).unwrap();
        prop_assert_eq!(cache.load(b"key", |_| true), None);
        cache.store(b"key", &entry(b"object", b"globals")).unwrap();
        prop_assert_eq!(cache.load(b"key", |_| true), Some(entry(b"object", b"globals")));
    }

    /// Bytes that were never a file, with a checksum that is right.
    #[test]
    fn nonsense_does_no_harm(body in prop::collection::vec(any::<u8>(), 0..300), key in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut file = format::file(&key, &[]).unwrap();
        file.extend(&body);
        let sum = xxhash_rust::xxh3::xxh3_64(&file[24..]).to_le_bytes();
        file[16..24].copy_from_slice(&sum);
        for variant in format::read(&file, &key).unwrap_or_default() {
            prop_assert_eq!(variant.entry(), None);
        }
    }
}

#[test]
fn what_is_shipped_beside_is_whole_or_not_there() {
    let folder = Folder::new();
    let place = folder.0.join("made/here");
    assert_eq!(beside::read(&place, b"key"), None);
    beside::write(&place, b"key", &entry(b"object", b"globals")).unwrap();
    assert_eq!(beside::read(&place, b"key"), Some(entry(b"object", b"globals")));
    assert_eq!(beside::read(&place, b"other"), None);
    let file = std::fs::read_dir(&place).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(&file, &bytes[..length]).unwrap();
        assert_eq!(beside::read(&place, b"key"), None);
    }
}
