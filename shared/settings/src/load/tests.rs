use std::{collections::BTreeMap, fs};

use tempfile::TempDir;

use super::*;
use crate::LogFormat;

fn load_from_places(
    file: Option<&Path>,
    env: &dyn Environment,
    platforms: &[&str],
    places: &[&Path],
) -> Result<Settings, Mistakes> {
    let draft = draft_from(file, env, platforms, places);
    draft.mistakes.unless_any(draft.settings)
}

const PLATFORMS: [&str; 2] = ["dingtalk", "feishu"];

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A folder with three files, each of which says by `memory.days` which one it is.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (days, name) in [(1, "here.toml"), (2, "layer.toml"), (3, "named.toml")] {
        fs::write(folder.path().join(name), format!("[memory]\ndays = {days}")).unwrap();
    }
    folder
}

#[test]
fn the_file_is_looked_for_in_order() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let named = path("named.toml");
    let env = environment(&[("MAGPIE_CONFIG", named.to_str().unwrap())]);
    let none = environment(&[]);
    let (here, layer, missing) = (path("here.toml"), path("layer.toml"), path("none.toml"));
    for (file, env, places, days) in [
        (Some(&here), &env, [&*layer, &*missing], 1),
        (None, &env, [&*here, &*layer], 3),
        (None, &none, [&*here, &*layer], 1),
        (None, &none, [&*missing, &*layer], 2),
    ] {
        let settings = load_from_places(file.map(PathBuf::as_path), env, &PLATFORMS, &places).unwrap();
        assert_eq!(settings.memory.days, days);
        assert!(settings.source.is_some());
    }
}

#[test]
fn a_named_file_that_is_not_there_is_a_mistake_even_when_another_is() {
    let folder = folder();
    let (here, missing) = (folder.path().join("here.toml"), folder.path().join("none.toml"));
    let mistakes = load_from_places(Some(&missing), &environment(&[]), &PLATFORMS, &[&here]).unwrap_err();
    assert_eq!(mistakes.0[0].found, "no file of this name");
    assert_eq!(mistakes.0[0].file.as_deref(), Some(&*missing));
}

#[test]
fn without_a_file_the_environment_is_enough_and_nothing_is_not() {
    let missing = Path::new("/no/such/magpie.toml");
    let load = |pairs: &[(&str, &str)]| load_from_places(None, &environment(pairs), &PLATFORMS, &[missing]);
    let settings = load(&[
        ("LOCAL_ENDPOINT", "http://localhost:8000/v1/chat/completions"),
        ("CLOUD_ENDPOINT", "https://api.example.com/v1/completions"),
        ("CLOUD_MODEL", "qwen-plus"),
        ("CLOUD_KEY", "secret:magpie/cloud-key"),
        ("FALLBACK_STRATEGY", "cloud_first"),
        ("FEISHU_KEYS", "env:FEISHU"),
    ])
    .unwrap();
    let shown: Vec<_> = settings
        .endpoints
        .iter()
        .map(|e| (&*e.name, e.place.as_str(), e.protocol.as_str(), &*e.model, e.key.is_some()))
        .collect();
    assert_eq!(
        shown,
        [
            ("local", "local", "chat_completions", "", false),
            ("cloud", "cloud", "completions", "qwen-plus", true),
        ]
    );
    assert_eq!(settings.routing.route.strategy.as_str(), "cloud_first");
    assert_eq!((settings.bots[0].bot.as_str(), settings.bots[0].platform.as_str()), ("feishu", "feishu"));
    assert_eq!(settings.source, None);

    let mistakes = load(&[("LOCAL_ENDPOINT", " "), ("FALLBACK_STRATEGY", "local_only")]).unwrap_err();
    assert_eq!(mistakes.0.len(), 1, "{mistakes}");
    assert_eq!(mistakes.0[0].found, "none at `/no/such/magpie.toml`");
    let mistakes = load(&[("LOCAL_ENDPOINT", "x")]).unwrap_err();
    assert_eq!(mistakes.0.len(), 1, "{mistakes}");
}

#[test]
fn the_environment_says_how_the_log_is_written() {
    let text = "standalone.log_format = 'text'";
    for (value, format) in [("json", LogFormat::Json), ("text", LogFormat::Text), (" ", LogFormat::Text)] {
        let settings = parse(text, None, &environment(&[("MAGPIE_LOG_FORMAT", value)]), &PLATFORMS).unwrap();
        assert_eq!(settings.standalone.log_format, format, "{value}");
    }
    let settings = parse("standalone.log_format = 'json'", None, &environment(&[]), &PLATFORMS).unwrap();
    assert_eq!(settings.standalone.log_format, LogFormat::Json);
    let mistakes = parse(text, None, &environment(&[("MAGPIE_LOG_FORMAT", "xml")]), &PLATFORMS).unwrap_err();
    assert_eq!((&*mistakes.0[0].key, &*mistakes.0[0].wanted), ("MAGPIE_LOG_FORMAT", "`text` or `json`"));
}

#[test]
fn the_environment_replaces_the_whole_of_an_entry_of_the_same_name() {
    let text = "\
        [endpoints.cloud]\nplace = 'cloud'\nurl = 'https://old.example/completions'\nmodel = 'old'\nkey = 'env:OLD'\n\
        [endpoints.office]\nplace = 'local'\nurl = 'http://h/completions'\nmodel = 'm'\n\
        [bots.feishu]\nplatform = 'dingtalk'\nkeys = 'env:OLD'\n\
        [routing]\nstrategy = 'local_only'";
    let env = environment(&[
        ("CLOUD_ENDPOINT", "https://new.example/chat/completions"),
        ("FEISHU_KEYS", "env:NEW"),
        ("FALLBACK_STRATEGY", "cloud_only"),
    ]);
    let settings = parse(text, None, &env, &PLATFORMS).unwrap();
    let names: Vec<_> = settings.endpoints.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["cloud", "office"]);
    assert_eq!(settings.endpoints[0].url.host_str(), Some("new.example"));
    assert_eq!(settings.endpoints[0].key, None, "the file's key must not go to the environment's address");
    assert_eq!(settings.bots.len(), 1);
    assert_eq!(settings.bots[0].platform.as_str(), "feishu");
    assert_eq!(settings.routing.route.strategy.as_str(), "cloud_only");
}

#[test]
fn file_references_begin_in_the_folder_of_the_file_where_something_is_there() {
    let folder = folder();
    fs::write(folder.path().join("keys.json"), "{}").unwrap();
    let text = "\
        [bots.a]\nplatform = 'feishu'\nkeys = 'file:keys.json'\n\
        [bots.b]\nplatform = 'feishu'\nkeys = 'file:elsewhere.json'\n\
        [bots.c]\nplatform = 'feishu'\nkeys = 'file:~/keys.json'\n\
        [vault]\nkeys = 'file:keys.json'";
    let file = folder.path().join("magpie.toml");
    let settings = parse(text, Some(&file), &environment(&[]), &PLATFORMS).unwrap();
    let here = KeySource::File(folder.path().join("keys.json"));
    assert_eq!(settings.bots[0].keys, here);
    assert_eq!(settings.bots[1].keys, KeySource::File("elsewhere.json".into()));
    assert_eq!(settings.bots[2].keys, KeySource::File("~/keys.json".into()));
    assert_eq!(settings.vault, Some(here));
}

#[test]
fn mistakes_name_the_file_they_stand_in() {
    let env = environment(&[("FALLBACK_STRATEGY", "x")]);
    let mistakes =
        parse("[memory]\ndays = 0", Some(Path::new("conf/magpie.toml")), &env, &PLATFORMS).unwrap_err();
    let lines: Vec<_> = mistakes.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "conf/magpie.toml: memory.days: found 0; wanted a whole number from 1 to 3650");
    assert!(lines[1].starts_with("FALLBACK_STRATEGY: found `x`; wanted"), "{lines:?}");
}

#[test]
fn the_playground_is_on_by_itself_only_with_a_demo_bot() {
    for (text, on) in [
        ("", false),
        ("[bots.a]\nplatform = 'feishu'\nkeys = 'env:A'", false),
        ("[bots.a]\nplatform = 'feishu'\nkeys = 'demo'", true),
        ("standalone.playground = true", true),
        ("standalone.playground = false\n[bots.a]\nplatform = 'feishu'\nkeys = 'demo'", false),
    ] {
        let settings = parse(text, None, &environment(&[]), &PLATFORMS).unwrap();
        assert_eq!(settings.standalone.playground, on, "{text}");
    }
}
