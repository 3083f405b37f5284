//! What only the whole configuration shows to be wrong: names of what is not there, rules that leave nobody to ask,
//! budgets that cannot count.

use std::path::Path;

use routing::{Place, Rule};

use crate::{
    BudgetSettings, EndpointSettings, Mistakes, Settings,
    mistakes::Mistake,
    names::{Kind, Names},
    rules,
};

/// All that is wrong with the parts as a whole. `file` is where they stand; `before` is what is wrong with the parts
/// themselves: what a mistake has taken out is not missed a second time.
pub(crate) fn check(
    settings: &Settings,
    names: &mut Names,
    file: Option<&Path>,
    before: &Mistakes,
) -> Vec<Mistake> {
    let about_routing = ["endpoints", "routing", "departments", "LOCAL_", "CLOUD_", "FALLBACK_", "line "];
    let is_about_routing =
        |mistake: &Mistake| about_routing.iter().any(|start| mistake.key.starts_with(start));
    let sound = !before.0.iter().any(is_about_routing);
    let mut mistakes = Mistakes::default();
    // What the environment makes is there too.
    for bot in &settings.bots {
        names.is_there(Kind::Bot, bot.bot.as_str());
    }
    for endpoint in &settings.endpoints {
        names.is_there(Kind::Endpoint, &endpoint.name);
        names.is_there(Kind::Model, &endpoint.name);
        names.is_there(Kind::Model, &endpoint.model);
    }
    names.check(&mut mistakes);
    if sound {
        strategy_leaves_some(settings, &mut mistakes);
    }
    for (index, rule) in settings.routing.route.rules.iter().enumerate().filter(|_| sound) {
        leaves_some(settings, rule, &rules::key(index), &mut mistakes);
    }
    are_counted(settings, &mut mistakes);
    if let Some(file) = file {
        mistakes.stand_in(file);
    }
    mistakes.0
}

/// A strategy that leaves no endpoint would answer nobody. Without any endpoint, standalone looks for one on this machine,
/// which is local.
fn strategy_leaves_some(settings: &Settings, mistakes: &mut Mistakes) {
    let strategy = settings.routing.route.strategy;
    let places = settings.endpoints.iter().map(|endpoint| endpoint.place);
    let found = settings.endpoints.is_empty().then_some(Place::Local);
    if places.chain(found).any(|place| strategy.allows(place)) {
        return;
    }
    let place = if strategy.allows(Place::Cloud) { Place::Cloud } else { Place::Local };
    let found = format!("`{}`, and no endpoint whose place is `{}`", strategy.as_str(), place.as_str());
    mistakes.push("routing.strategy", found, "such an endpoint, or another strategy");
}

/// A rule that leaves no endpoint would turn every question that it holds for into an apology. Without any endpoint
/// there is nothing to judge by: standalone looks for one on this machine, which is local.
fn leaves_some(settings: &Settings, rule: &Rule, key: &str, mistakes: &mut Mistakes) {
    let then = &rule.then;
    let strategy = then.strategy.unwrap_or(settings.routing.route.strategy);
    let may_answer = |endpoint: &EndpointSettings| {
        (!then.local_only || endpoint.place == Place::Local)
            && strategy.allows(endpoint.place)
            && (then.endpoints.is_empty() || then.endpoints.contains(&endpoint.name))
    };
    let some = |test: &dyn Fn(&EndpointSettings) -> bool| settings.endpoints.iter().any(test);
    let names_unknown = then.endpoints.iter().any(|name| !some(&|endpoint| endpoint.name == *name));
    if settings.endpoints.is_empty() || names_unknown || some(&may_answer) {
        return;
    }
    if then.local_only && !some(&|endpoint| endpoint.place == Place::Local) {
        let wanted =
            "an endpoint whose place is `local`, or the questions it holds for are answered by nobody";
        mistakes.push(format!("{key}.cloud"), "`never`, and no local endpoint", wanted);
    } else {
        let found = format!("the rule `{}`, which leaves no endpoint to ask", rule.name);
        let wanted = format!("endpoints that the strategy `{}` and the rule allow", strategy.as_str());
        mistakes.push(key, found, wanted);
    }
}

/// A cloud endpoint without a price would cost nothing in the books, and so be what is left when a budget is spent.
fn are_counted(settings: &Settings, mistakes: &mut Mistakes) {
    let BudgetSettings { month, bot_month, user_month, .. } = settings.budgets;
    if month.or(bot_month).or(user_month).is_none() {
        return;
    }
    for endpoint in settings.endpoints.iter().filter(|e| e.place == Place::Cloud && e.price.is_none()) {
        mistakes.push(
            format!("endpoints.{}.price", endpoint.name),
            "nothing, and budgets that are to count it",
            "for example `{ prompt = 0.5, completion = 1.5 }`, for a million tokens each",
        );
    }
}
