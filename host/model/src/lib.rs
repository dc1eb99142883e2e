//! What every layer speaks of: kinds, objects, selectors, field sets, outcomes.
