//! Which file, and the whole way from its text to [`Settings`].

use std::{
    io,
    path::{Path, PathBuf},
};

use toml::Table;

use crate::{
    Environment, KeySource, Mistakes, ProxySource, Settings, endpoints, entries, environment::filled,
    names::Names, network, overrides, reader::Reader, routes, rules, sections, together,
};

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
    load_from(file, env, platforms, &PLACES.map(Path::new))
}

fn load_from(
    file: Option<&Path>,
    env: &dyn Environment,
    platforms: &[&str],
    places: &[&Path],
) -> Result<Settings, Mistakes> {
    let named = file.map(Path::to_owned).or_else(|| filled(env, "MAGPIE_CONFIG").map(PathBuf::from));
    let found = named.or_else(|| places.iter().find(|place| place.exists()).map(|place| (*place).to_owned()));
    if let Some(path) = found {
        return parse(&read(&path)?, Some(&path), env, platforms);
    }
    let mut settings = Settings::default();
    let mut mistakes = Mistakes::default();
    if !overrides::apply(&mut settings, env, platforms, &mut mistakes) {
        let looked: Vec<_> = places.iter().map(|place| format!("`{}`", place.display())).collect();
        let wanted = "a configuration file there, or named by --config or MAGPIE_CONFIG; \
                      or LOCAL_ENDPOINT or CLOUD_ENDPOINT in the environment";
        mistakes.push("configuration", format!("none at {}", looked.join(" or ")), wanted);
    }
    mistakes.unless_any(settings)
}

fn read(path: &Path) -> Result<String, Mistakes> {
    std::fs::read_to_string(path).map_err(|error| {
        let kind = error.kind();
        let found = if kind == io::ErrorKind::NotFound {
            "no file of this name".to_owned()
        } else if kind == io::ErrorKind::InvalidData {
            "a file that is not UTF-8".to_owned()
        } else {
            format!("a file that cannot be read ({kind})")
        };
        let mut mistakes = Mistakes::default();
        mistakes.push("configuration", found, "a readable TOML file, UTF-8");
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
    let (mut names, mut mistakes) = (Names::default(), Mistakes::default());
    let mut settings = match text.parse::<Table>() {
        Ok(table) => walk(Reader::new("", &table, &mut mistakes), platforms, &mut names),
        Err(error) => {
            let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
            let found = error.message().lines().collect::<Vec<_>>().join(", ");
            mistakes.push(format!("line {line}, column {column}"), found, "TOML");
            Settings::default()
        }
    };
    if let Some(file) = file {
        mistakes.stand_in(file);
        settings.source = Some(file.to_owned());
        begin_at(&mut settings, file.parent().unwrap_or(Path::new("")));
    }
    overrides::apply(&mut settings, env, platforms, &mut mistakes);
    let sound = mistakes.0.is_empty();
    mistakes.0.extend(together::check(&settings, names, file, sound));
    mistakes.unless_any(settings)
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
fn begin_at(settings: &mut Settings, folder: &Path) {
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
    for source in bots.chain(channels).chain(endpoints).chain(tokens).chain(single) {
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

/// Where a byte of the text stands, both from 1; columns count characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
