//! Measured values and what is read from them.

/// Values in ascending order.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Of values in any order.
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that `percent` of all values do not exceed; not a number without values.
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// The smallest.
    pub fn min(&self) -> f64 {
        self.percentile(0)
    }

    /// The largest.
    pub fn max(&self) -> f64 {
        self.percentile(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_that_so_many_do_not_exceed() {
        let sample = Sample::new((1..=100).rev().map(f64::from).collect());
        for (percent, value) in [(0, 1.0), (1, 1.0), (25, 25.0), (50, 50.0), (99, 99.0), (100, 100.0)] {
            assert_eq!(sample.percentile(percent), value);
        }
        assert_eq!(Sample::new(vec![3.0, 1.0, 2.0]).percentile(50), 2.0);
        assert_eq!((sample.min(), sample.max(), sample.len()), (1.0, 100.0, 100));
        assert!(Sample::default().percentile(50).is_nan());
    }
}
