//! What the bench has, and what was left out on purpose.

/// A component that `cargo xtask test` prepares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// The built `magpie` binary.
    Magpie,
    /// DynamoDB Local.
    DynamoDb,
    /// The emulator of SQS and Secrets Manager.
    Aws,
    /// The Lambda Runtime Interface Emulator.
    Rie,
    /// The folder of the built bootstraps.
    Bootstraps,
    /// A Chromium.
    Chromium,
    /// The folder with `playwright-core`.
    NodeModules,
    /// A language model behind llama.cpp.
    Model,
}

impl Component {
    /// The environment variable that says where it is, and the name under which it can be left out.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Magpie => ("MAGPIE_TEST_MAGPIE", "standalone"),
            Self::DynamoDb => ("MAGPIE_TEST_DYNAMODB", "dynamodb"),
            Self::Aws => ("MAGPIE_TEST_AWS", "aws"),
            Self::Rie => ("MAGPIE_TEST_RIE", "lambda"),
            Self::Bootstraps => ("MAGPIE_TEST_BOOTSTRAPS", "lambda"),
            Self::Chromium => ("MAGPIE_TEST_CHROMIUM", "browser"),
            Self::Model => ("MAGPIE_TEST_MODEL", "model"),
            Self::NodeModules => ("MAGPIE_TEST_NODE_MODULES", "browser"),
        }
    }

    /// Where the component is; `None` when it was left out by name.
    ///
    /// # Panics
    ///
    /// When it is neither there nor left out: a test that could not run has not passed.
    #[must_use]
    #[expect(clippy::panic, reason = "a missing component must fail the test that needs it")]
    #[expect(clippy::disallowed_methods, reason = "the bench is handed over in the environment")]
    #[expect(clippy::print_stdout, reason = "what is left out is said")]
    pub fn find(self) -> Option<String> {
        let (variable, group) = self.names();
        if let Ok(place) = std::env::var(variable) {
            return Some(place);
        }
        let left_out = std::env::var("MAGPIE_TEST_WITHOUT").unwrap_or_default();
        if left_out.split(',').any(|name| name.trim() == group) {
            println!("left out: {group}");
            return None;
        }
        panic!(
            "{variable} is not set: run `cargo xtask test`, which prepares {group}, or leave it out with --without {group}"
        );
    }
}
