//! Which file, and the whole way from its text to [`Settings`].

use std::path::{Path, PathBuf};

use crate::{
    Environment, KeySource, Mistakes, ProxySource, Settings, endpoints, entries,
    environment::filled,
    file_text,
    names::{Names, RefusedKeys},
    network, overrides,
    reader::Reader,
    routes, rules, sections, syntax, together,
};

/// What was read of a configuration, and what is wrong with it. [`check_secrets`](crate::check_secrets) finds what is
/// wrong with the secrets that it names, in the same run.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// What is good of it; in force only when nothing is wrong.
    pub settings: Settings,
    /// What is wrong with it.
    pub mistakes: Mistakes,
    /// Secrets of entries that are refused for another reason.
    pub(crate) refused: Vec<RefusedKeys>,
}

impl Draft {
    fn wrong(mistakes: Mistakes) -> Self {
        Self { mistakes, ..Self::default() }
    }
}

/// Where the file is looked for when nobody names it: the working directory, then where Lambda puts a layer.
const PLACES: [&str; 2] = ["magpie.toml", "/opt/magpie.toml"];

/// Loads the configuration: from `file` (what `--config` names), else the file that `MAGPIE_CONFIG` names, else
/// `magpie.toml` in the working directory, else `/opt/magpie.toml`; and over it from the environment, which alone is
/// enough too:
///
/// | variable | makes |
/// |---|---|
/// | `LOCAL_ENDPOINT`, `LOCAL_MODEL`, `LOCAL_KEY` | an endpoint named `local` |
/// | `CLOUD_ENDPOINT`, `CLOUD_MODEL`, `CLOUD_KEY` | an endpoint named `cloud` |
/// | `FALLBACK_STRATEGY` | the strategy |
/// | `FEISHU_KEYS`, `DINGTALK_KEYS`, … | a bot named like its platform |
/// | `MAGPIE_LOG_FORMAT` | how standalone writes its log |
/// | `SSL_CERT_FILE`, `SSL_CERT_DIR` | certificate authorities beside the bundled ones |
///
/// Keys are references, as in the file. Where the file has an entry of the same name, the environment's replaces the
/// whole of it. A blank variable counts as unset. `platforms` are the names that a bot's `platform` may have.
///
/// # Errors
///
/// All mistakes, in the order of the file.
pub fn load(file: Option<&Path>, env: &dyn Environment, platforms: &[&str]) -> Result<Settings, Mistakes> {
    let draft = draft(file, env, platforms);
    draft.mistakes.unless_any(draft.settings)
}

/// Like [`load`], and keeps what is good of a configuration with mistakes, so that its secrets can be checked too.
#[must_use]
pub fn draft(file: Option<&Path>, env: &dyn Environment, platforms: &[&str]) -> Draft {
    draft_from(file, env, platforms, &PLACES.map(Path::new))
}

fn draft_from(file: Option<&Path>, env: &dyn Environment, platforms: &[&str], places: &[&Path]) -> Draft {
    let named = file.map(Path::to_owned).or_else(|| filled(env, "MAGPIE_CONFIG").map(PathBuf::from));
    let found = named.or_else(|| places.iter().find(|place| place.exists()).map(|place| (*place).to_owned()));
    if let Some(path) = found {
        return match read(&path) {
            Ok(text) => parse_draft(&text, Some(&path), env, platforms),
            Err(mistakes) => Draft::wrong(mistakes),
        };
    }
    let mut settings = Settings::default();
    let mut mistakes = Mistakes::default();
    if !overrides::apply(&mut settings, env, platforms, &mut mistakes) {
        let looked: Vec<_> = places.iter().map(|place| format!("`{}`", place.display())).collect();
        let wanted = "a configuration file there, or named by --config or MAGPIE_CONFIG; \
                      or LOCAL_ENDPOINT or CLOUD_ENDPOINT in the environment";
        mistakes.push("configuration", format!("none at {}", looked.join(" or ")), wanted);
    }
    Draft { settings, mistakes, refused: Vec::new() }
}

fn read(path: &Path) -> Result<String, Mistakes> {
    file_text::read(path).map_err(|unreadable| {
        let mut mistakes = Mistakes::default();
        mistakes.push("configuration", unreadable.found, unreadable.wanted);
        mistakes.stand_in(path);
        mistakes
    })
}

/// Reads configuration from its text. `file` is where the text stands: it is named in mistakes, and its folder is where
/// `file:` references begin (where nothing is there, they begin in the working directory).
///
/// # Errors
///
/// All mistakes, in the order of the file.
pub fn parse(
    text: &str,
    file: Option<&Path>,
    env: &dyn Environment,
    platforms: &[&str],
) -> Result<Settings, Mistakes> {
    let draft = parse_draft(text, file, env, platforms);
    draft.mistakes.unless_any(draft.settings)
}

fn parse_draft(text: &str, file: Option<&Path>, env: &dyn Environment, platforms: &[&str]) -> Draft {
    let (mut names, mut mistakes) = (Names::default(), Mistakes::default());
    let parsed = syntax::read(text, &mut mistakes);
    let mut settings = Settings::default();
    if let Some(table) = &parsed.table {
        let mut of_values = Mistakes::default();
        settings = walk(Reader::new("", table, &mut of_values), platforms, &mut names);
        mistakes.0.extend(of_values.0.into_iter().filter(|mistake| !parsed.explains(mistake)));
    }
    if let Some(file) = file {
        mistakes.stand_in(file);
        settings.source = Some(file.to_owned());
        begin_at(&mut settings, &mut names, file.parent().unwrap_or(Path::new("")));
    }
    overrides::apply(&mut settings, env, platforms, &mut mistakes);
    // Where much of the file is unclear, what the rest of it lacks means nothing.
    if parsed.table.is_some() {
        mistakes.0.extend(together::check(&settings, &mut names, file, &mistakes));
    }
    Draft { settings, mistakes, refused: names.refused }
}

/// Every table of the file.
pub(crate) fn walk(mut file: Reader<'_, '_>, platforms: &[&str], names: &mut Names) -> Settings {
    let bots = entries::bots(&mut file, platforms, names);
    let channels = entries::channels(&mut file, platforms);
    let endpoints = endpoints::endpoints(&mut file, names);
    let departments = rules::departments(&mut file, names);
    let routing = routes::routing(&mut file, &departments, names);
    let budgets = sections::budgets(&mut file);
    let memory = sections::memory(&mut file);
    let vault = sections::vault(&mut file);
    let gateway = sections::gateway(&mut file, names);
    let demo = bots.iter().any(|bot| bot.keys == KeySource::Demo);
    let network = network::network(&mut file);
    let standalone = sections::standalone(&mut file, demo);
    file.finish();
    Settings {
        bots,
        channels,
        endpoints,
        routing,
        budgets,
        memory,
        vault,
        gateway,
        network,
        standalone,
        source: None,
    }
}

/// Lets relative `file:` references and files of authorities begin in `folder`, where something is there.
fn begin_at(settings: &mut Settings, names: &mut Names, folder: &Path) {
    let proxy = match &mut settings.network.proxy {
        Some(ProxySource::Secret(source)) => Some(source),
        Some(ProxySource::Address(_)) | None => None,
    };
    let authorities = settings.network.authorities.iter_mut().map(|source| &mut source.path);
    authorities.for_each(|path| begin_one_at(path, folder));
    let bots = settings.bots.iter_mut().map(|bot| &mut bot.keys);
    let channels = settings.channels.iter_mut().map(|channel| &mut channel.keys);
    let endpoints = settings.endpoints.iter_mut().filter_map(|endpoint| endpoint.key.as_mut());
    let tokens = settings.gateway.tokens.iter_mut().map(|program| &mut program.token);
    let single = settings.vault.iter_mut().chain(&mut settings.standalone.operator_token).chain(proxy);
    let refused = names.refused.iter_mut().map(|keys| &mut keys.source);
    for source in bots.chain(channels).chain(endpoints).chain(tokens).chain(single).chain(refused) {
        if let KeySource::File(path) = source {
            begin_one_at(path, folder);
        }
    }
}

fn begin_one_at(path: &mut PathBuf, folder: &Path) {
    let here = folder.join(&*path);
    if here.exists() {
        *path = here;
    }
}

#[cfg(test)]
mod tests;
