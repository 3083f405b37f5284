//! Every file of the corpus through its target.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot read its own data has failed")]

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use fuzzing::{Body, Reach, TARGETS};

/// The folder of the fuzz targets.
fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

/// How far each file of a target's corpus comes, by the file's name. A panic is told with the file that caused it.
fn reaches(name: &str, run: Body) -> Vec<(String, Reach)> {
    let folder = format!("corpus/{name}");
    let reach = |file: &String| {
        let data = fs::read(fuzz().join(&folder).join(file)).unwrap();
        catch_unwind(|| run(&data)).unwrap_or_else(|_| panic!("{folder}/{file}: see above"))
    };
    names(&folder).into_iter().map(|file| (file.clone(), reach(&file))).collect()
}

#[test]
fn every_file_of_the_corpus_passes_and_some_come_inside() {
    for (name, run) in TARGETS {
        let reaches = reaches(name, run);
        for reach in [Reach::Door, Reach::Inside] {
            assert!(reaches.iter().any(|(_, came)| *came == reach), "no file of {name} comes to {reach:?}");
        }
    }
}

#[test]
fn the_corpus_stays_small() {
    for (name, _) in TARGETS {
        let folder = fuzz().join("corpus").join(name);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
        assert!((5..=40).contains(&files.len()), "{name} has {} files", files.len());
        for file in files {
            assert!(file.metadata().unwrap().len() <= 8192, "{name}/{} is large", file.path().display());
        }
    }
}

#[test]
fn every_body_has_a_target_and_a_corpus() {
    let bodies: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("targets"), bodies);
    assert_eq!(names("corpus"), bodies);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in bodies {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is not in the manifest");
    }
}
