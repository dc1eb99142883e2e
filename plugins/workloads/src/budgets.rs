//! Whether `PodDisruptionBudgets` allow a workload's pods to be disrupted now.

use std::collections::{BTreeMap, HashMap};

use mizzen_sdk::{AccessError, Query, cluster};
use serde::Deserialize;

use crate::read::{BUDGETS, budget};

type Labels = BTreeMap<Box<str>, Box<str>>;

/// The cluster's `PodDisruptionBudgets`, by namespace.
#[derive(Debug, Default)]
pub(crate) struct Budgets(HashMap<Box<str>, Vec<Budget>>);

#[derive(Debug, Deserialize)]
struct Budget {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: Box<str>,
    namespace: Box<str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    /// `None`: no pod; empty: every pod of the namespace.
    selector: Option<Selector>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Selector {
    match_labels: Labels,
    match_expressions: Vec<Expression>,
}

#[derive(Debug, Deserialize)]
struct Expression {
    key: Box<str>,
    operator: Box<str>,
    #[serde(default)]
    values: Vec<Box<str>>,
}

/// `None` until the disruption controller has set it: then nothing is allowed, either.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    disruptions_allowed: i64,
}

impl Budgets {
    /// Reads all budgets; none if the API server does not serve the kind.
    pub(crate) fn read() -> Result<Self, AccessError> {
        let budgets = match cluster::scan::<Budget>(&Query::of(budget()).fields(BUDGETS)) {
            Err(AccessError::NotServed(_)) => return Ok(Self::default()),
            budgets => budgets?,
        };
        let mut all = Self::default();
        for budget in budgets {
            let budget = budget?;
            all.0.entry(budget.metadata.namespace.clone()).or_default().push(budget);
        }
        Ok(all)
    }

    /// The name of a budget that allows no disruption of pods with these labels now.
    pub(crate) fn against(&self, namespace: &str, labels: &Labels) -> Option<&str> {
        let mut budgets = self.0.get(namespace).into_iter().flatten();
        let budget = budgets.find(|budget| {
            budget.status.disruptions_allowed < 1
                && budget.spec.selector.as_ref().is_some_and(|own| own.selects(labels))
        })?;
        Some(&budget.metadata.name)
    }
}

impl Selector {
    fn selects(&self, labels: &Labels) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|expression| expression.selects(labels))
    }
}

impl Expression {
    fn selects(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let listed = value.is_some_and(|value| self.values.contains(value));
        match &*self.operator {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            // An operator of a later Kubernetes: the safe assumption is that the budget applies.
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn selects(selector: &Value) -> bool {
        let labels = Labels::from([("app".into(), "cart".into())]);
        serde_json::from_value::<Selector>(selector.clone()).unwrap().selects(&labels)
    }

    #[test]
    fn a_budget_selects_pods_as_kubernetes_does() {
        let expression = |key: &str, operator: &str, values: &[&str]| {
            let expression = json!({"key": key, "operator": operator, "values": values});
            json!({"matchExpressions": [expression]})
        };
        for (selector, expected) in [
            (json!({}), true),
            (json!({"matchLabels": {"app": "cart"}}), true),
            (json!({"matchLabels": {"app": "cart", "tier": "a"}}), false),
            (expression("app", "In", &["x", "cart"]), true),
            (expression("app", "NotIn", &["cart"]), false),
            (expression("tier", "NotIn", &["a"]), true),
            (expression("app", "Exists", &[]), true),
            (expression("app", "DoesNotExist", &[]), false),
        ] {
            assert_eq!(selects(&selector), expected, "{selector}");
        }
    }
}
