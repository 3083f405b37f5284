//! The log of this process: what is logged, and how it is written.

use settings::{Environment, LogFormat, Mistakes, Settings};
use telemetry::Filter;

/// The name in the lines of a JSON log.
const SERVICE: &str = "magpie";

/// Names what is logged.
const FILTER: &str = "MAGPIE_LOG";

/// Sets the log up once the configuration is read, and hands that on.
///
/// # Errors
///
/// What is wrong with the filter, with the configuration, or with both.
pub(crate) fn begin(
    settings: Result<Settings, Mistakes>,
    environment: &dyn Environment,
) -> anyhow::Result<Settings> {
    let (filter, settings) = match (filter(environment), settings) {
        (Ok(filter), Ok(settings)) => (filter, settings),
        (Ok(_), Err(mistakes)) => return Err(mistakes.into()),
        (Err(wrong), Ok(_)) => return Err(wrong),
        (Err(wrong), Err(mistakes)) => anyhow::bail!("{mistakes}\n{wrong}"),
    };
    match settings.standalone.log_format {
        LogFormat::Text => telemetry::log::init_terminal(filter),
        LogFormat::Json => telemetry::log::init_json(SERVICE, filter),
    }
    Ok(settings)
}

fn filter(environment: &dyn Environment) -> anyhow::Result<Filter> {
    let text = environment.get(FILTER).unwrap_or_default();
    text.parse().map_err(|error| anyhow::anyhow!("{FILTER}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_wrong_filter_and_a_wrong_configuration_are_told_together() {
        let environment = BTreeMap::from([(FILTER.to_owned(), "loud".to_owned())]);
        let settings = settings::parse("surprise = true", None, &environment, &["feishu"]);
        let said = begin(settings, &environment).unwrap_err().to_string();
        assert!(said.contains("surprise") && said.contains("MAGPIE_LOG: `loud` is not a level"), "{said}");
        let said = begin(Ok(Settings::default()), &environment).unwrap_err().to_string();
        assert!(said.starts_with("MAGPIE_LOG: `loud` is not a level"), "{said}");
    }
}
