//! What the operator costs, against native code in the same run.
