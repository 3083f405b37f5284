//! Which crate may depend on which. An arrow that is not in this table is a mistake, or a decision to be made here.

use super::Finding;
use crate::workspace::{Dependency, Package};

/// The members that a member may depend on. Dependencies of tests are free.
enum May {
    /// Exactly these.
    Use(&'static [&'static str]),
    /// Every crate below `shared/` but these.
    UseSharedBut(&'static [&'static str]),
    /// Any.
    UseAny,
}

/// From the words at the bottom to the programs at the top.
#[rustfmt::skip]
const DIRECTION: &[(&str, May)] = &[
    ("chat",              May::Use(&[])),
    ("transport",         May::Use(&[])),
    ("markdown",          May::Use(&[])),
    ("host",              May::Use(&["chat"])),
    ("webhook",           May::Use(&["chat"])),
    ("vault",             May::Use(&["chat"])),
    ("store",             May::Use(&["chat"])),
    ("telemetry",         May::Use(&["chat"])),
    ("simulator",         May::Use(&["chat"])),
    ("egress",            May::Use(&["transport"])),
    ("routing",           May::Use(&["chat", "transport"])),
    ("platform",          May::Use(&["chat", "transport", "webhook"])),
    ("feishu",            May::Use(&["chat", "markdown", "platform", "transport", "webhook"])),
    ("dingtalk",          May::Use(&["chat", "markdown", "platform", "transport", "webhook"])),
    ("store-sqlite",      May::Use(&["chat", "store"])),
    ("store-dynamodb",    May::Use(&["chat", "store"])),
    ("settings",          May::Use(&["chat", "platform", "routing"])),
    ("network",           May::Use(&["chat", "egress", "settings", "transport"])),
    ("receive",           May::Use(&["chat", "platform", "settings", "store", "telemetry", "vault", "webhook"])),
    ("turn",              May::Use(&["chat", "markdown", "platform", "receive", "routing", "settings", "store",
                                     "telemetry", "transport", "vault"])),
    ("lambda",            May::UseSharedBut(&["dingtalk", "feishu", "simulator", "store-sqlite"])),
    ("feishu-function",   May::Use(&["feishu", "lambda"])),
    ("dingtalk-function", May::Use(&["dingtalk", "lambda"])),
    ("worker-function",   May::Use(&["dingtalk", "feishu", "lambda"])),
    // `lambda` behind the feature `aws` only; the default build's tree is checked for it below.
    ("standalone",        May::UseSharedBut(&["store-dynamodb"])),
    ("benches",           May::UseAny),
    // Judges gateways from outside, ours among them: it uses no crate of ours, and speaks HTTP itself.
    ("gateways",          May::UseAny),
    // Judges the whole process from outside as well; it shares what measures with `gateways`.
    ("load",              May::UseAny),
    ("simulation",        May::UseAny),
    ("fuzzing",           May::UseAny),
    ("magpie-tests",      May::UseAny),
    ("xtask",             May::Use(&[])),
];

/// Crates from elsewhere that only a few members may know.
struct Reserved {
    /// How their names begin.
    prefixes: &'static [&'static str],
    /// Who may know them.
    owners: &'static [&'static str],
    why: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        prefixes: &["aws-", "aws_", "lambda_"],
        owners: &["lambda", "store-dynamodb"],
        why: "only `lambda` and `store-dynamodb` know AWS: reach it through a trait of `store` or `settings`",
    },
    Reserved {
        prefixes: &["reqwest", "rustls", "tokio-rustls", "ureq", "webpki-roots"],
        owners: &["egress"],
        why: "only `egress` opens outgoing connections: take a `transport::Transport`",
    },
    Reserved {
        prefixes: &["hyper"],
        owners: &["egress", "standalone"],
        why: "only `egress` opens outgoing connections, and only `standalone` serves incoming ones: take a `transport::Transport`",
    },
    Reserved {
        prefixes: &["getrandom", "rand", "fastrand"],
        owners: &["host"],
        why: "randomness is a parameter: take a `chat::Entropy`",
    },
];

/// Every dependency that the tables above do not allow.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(|package| check_package(package, packages)).collect()
}

fn check_package(package: &Package, all: &[Package]) -> Vec<Finding> {
    let place = format!("{}/Cargo.toml", package.folder);
    let Some((_, may)) = DIRECTION.iter().find(|(name, _)| *name == package.name) else {
        let what = format!("`{}` has no line in the table of directions", package.name);
        return vec![Finding { place, what, mend: "decide what it may use, in xtask/src/tidy/direction.rs" }];
    };
    if matches!(may, May::UseAny) {
        return Vec::new();
    }
    let in_use = package.dependencies.iter().filter(|dependency| !dependency.for_tests);
    in_use.filter_map(|dependency| check_dependency(package, may, dependency, all, &place)).collect()
}

fn check_dependency(
    package: &Package,
    may: &May,
    dependency: &Dependency,
    all: &[Package],
    place: &str,
) -> Option<Finding> {
    let name = dependency.name.as_str();
    let mend = if dependency.local {
        let shared = || all.iter().any(|other| other.name == name && other.folder.starts_with("shared/"));
        let allowed = match may {
            May::Use(these) => these.contains(&name),
            May::UseSharedBut(these) => !these.contains(&name) && shared(),
            May::UseAny => true,
        };
        (!allowed).then_some("turn the arrow round, or move the code to where both may use it")
    } else {
        let covers = |rule: &&Reserved| rule.prefixes.iter().any(|prefix| name.starts_with(prefix));
        let rule = RESERVED.iter().find(covers)?;
        (!rule.owners.contains(&package.name.as_str())).then_some(rule.why)
    }?;
    Some(Finding {
        place: place.to_owned(),
        what: format!("`{}` may not depend on `{name}`", package.name),
        mend,
    })
}

/// Crates of AWS in a program that must build without them, in the words of `cargo tree`.
pub(crate) fn check_tree(package: &str, tree: &str) -> Vec<Finding> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut found: Vec<_> =
        names.filter(|name| name.starts_with("aws-") || name.starts_with("aws_")).collect();
    found.sort_unstable();
    found.dedup();
    let finding = |name: &str| Finding {
        place: "Cargo.lock".to_owned(),
        what: format!("`{package}` builds `{name}`"),
        mend: "`cargo tree --package standalone --invert` with its name says who brings it; standalone knows no AWS",
    };
    found.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, dependencies: &[(&str, bool, bool)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, local, for_tests)| Dependency {
            name: (*name).to_owned(),
            local: *local,
            for_tests: *for_tests,
        });
        Package { name: name.to_owned(), folder: folder.to_owned(), dependencies: dependencies.collect() }
    }

    /// What is said about one crate with one dependency from the workspace or from elsewhere.
    fn verdict(name: &str, dependency: &str, local: bool) -> Vec<String> {
        let all = [
            package(name, "somewhere", &[(dependency, local, false)]),
            package("chat", "shared/chat", &[]),
            package("egress", "shared/egress", &[]),
            package("standalone", "functions/standalone", &[]),
        ];
        check(&all).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn arrows_point_down() {
        for (name, dependency) in [
            ("turn", "chat"),
            ("lambda", "egress"),
            ("standalone", "egress"),
            ("magpie-tests", "lambda"),
            ("worker-function", "dingtalk"),
        ] {
            assert_eq!(verdict(name, dependency, true), [""; 0], "{name} -> {dependency}");
        }
        for (name, dependency) in [
            ("chat", "turn"),
            ("feishu", "dingtalk"),
            ("dingtalk", "feishu"),
            ("turn", "egress"),
            ("turn", "host"),
            ("vault", "host"),
            ("lambda", "store-sqlite"),
            ("lambda", "feishu"),
            ("lambda", "standalone"),
            ("standalone", "store-dynamodb"),
            ("feishu-function", "dingtalk"),
            ("xtask", "chat"),
        ] {
            assert_eq!(
                verdict(name, dependency, true),
                [format!("`{name}` may not depend on `{dependency}`")]
            );
        }
    }

    #[test]
    fn reserved_crates_have_owners() {
        for (name, dependency) in [
            ("store-dynamodb", "aws-sdk-dynamodb"),
            ("lambda", "lambda_http"),
            ("egress", "reqwest"),
            ("host", "getrandom"),
            ("magpie-tests", "aws-sdk-sqs"),
            ("turn", "tokio"),
        ] {
            assert_eq!(verdict(name, dependency, false), [""; 0], "{name} -> {dependency}");
        }
        for (name, dependency) in [
            ("turn", "aws-sdk-sqs"),
            ("store", "aws_lambda_events"),
            ("feishu-function", "lambda_runtime"),
            ("lambda", "reqwest"),
            ("routing", "hyper-util"),
            ("settings", "rustls"),
            ("chat", "getrandom"),
            ("turn", "rand"),
        ] {
            assert_eq!(
                verdict(name, dependency, false),
                [format!("`{name}` may not depend on `{dependency}`")]
            );
        }
    }

    #[test]
    fn what_only_tests_use_is_free() {
        assert_eq!(
            check(&[package("chat", "shared/chat", &[("simulator", true, true), ("reqwest", false, true)])]),
            []
        );
    }

    #[test]
    fn a_new_crate_needs_a_line() {
        let found = check(&[package("slack", "shared/platforms/slack", &[])]);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("shared/platforms/slack/Cargo.toml: `slack` has no line"));
    }

    #[test]
    fn aws_in_a_tree_is_found_once() {
        let tree =
            "standalone v0.1.0 (/somewhere)\naws-types v1.7.0\nserde v1.0.0 (*)\naws-types v1.7.0 (*)\n";
        let found = check_tree("standalone", tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "`standalone` builds `aws-types`");
        assert_eq!(check_tree("standalone", "jaws-x v1\nserde v1\n"), []);
    }
}
