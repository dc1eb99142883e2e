//! Runs the two operators alternately, several times, and compares their costs.

use std::collections::BTreeMap;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::measure::{Figures, Load, State, run};
use crate::operator::{Kind, Setup, cache};

/// Runs both operators `repeat` times, alternating which goes first.
///
/// # Errors
/// Also when the two wrote different objects: then no ratio means anything.
pub(crate) async fn converge(load: Load, repeat: usize) -> anyhow::Result<Value> {
    let (mut native, mut mizzen, mut order) = (Vec::new(), Vec::new(), Vec::new());
    let mut first: Option<(u64, State)> = None;
    Setup::api_operator()?.compile(&cache()?).await?;
    for round in 0..repeat {
        let kinds = if round.is_multiple_of(2) { [Kind::Native, Kind::Mizzen] } else { [Kind::Mizzen, Kind::Native] };
        for kind in kinds {
            let (figures, state) = run(kind, load).await?;
            eprintln!("{} APIs, {kind:?}: {}", load.count, serde_json::to_string(&figures)?);
            ensure!(figures.writes_refused == 0, "{kind:?} was refused writes: {:?}", figures.writes_of);
            let (writes, expected) = first.get_or_insert_with(|| (figures.writes, state.clone()));
            ensure!(*writes == figures.writes, "{kind:?} made {} writes, another {writes}", figures.writes);
            ensure!(*expected == state, "{kind:?} left other objects than another: {}", difference(expected, &state));
            order.push(format!("{kind:?}").to_lowercase());
            match kind {
                Kind::Native => native.push(figures),
                Kind::Mizzen => mizzen.push(figures),
            }
        }
    }
    let (writes, objects) = first.map_or((0, 0), |(writes, state)| (writes, state.len()));
    let (of_native, of_mizzen) = (medians(&native)?, medians(&mizzen)?);
    let ratios: BTreeMap<_, _> =
        of_mizzen.iter().filter_map(|(field, value)| Some((field, value / of_native.get(field)?))).collect();
    Ok(json!({
        "count": load.count, "arrivals": load.arrivals, "ratePerSecond": load.rate, "order": order,
        "native": native, "mizzen": mizzen, "mizzenToNative": ratios,
        // Checked above, for every run.
        "same": {"writes": writes, "objects": objects},
    }))
}

/// Returns the median of each numeric figure that is not always zero.
fn medians(runs: &[Figures]) -> anyhow::Result<BTreeMap<String, f64>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for run in runs {
        for (field, value) in serde_json::to_value(run)?.as_object().into_iter().flatten() {
            values.entry(field.clone()).or_default().extend(value.as_f64());
        }
    }
    let medians = values.into_iter().filter_map(|(field, values)| Some((field, median(values)?)));
    Ok(medians.filter(|(_, median)| *median > 0.0).collect())
}

/// Returns the median; `None` of no values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len().is_multiple_of(2) { f64::midpoint(*values.get(middle - 1)?, upper) } else { upper })
}

fn difference(a: &State, b: &State) -> String {
    let differs = |name: &&String| a.get(*name) != b.get(*name);
    let Some(name) = a.keys().chain(b.keys()).find(differs) else { return "none".into() };
    format!("{name}: {:?} and {:?}", a.get(name).map(Value::to_string), b.get(name).map(Value::to_string))
}
