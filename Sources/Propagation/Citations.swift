/// Where definitions come from; the documentation of rules and methods refers to these by name.
///
/// - *Gu18*: J. Gu, Y. Yang, V. Tresp, “Understanding Individual Decisions of CNNs via Contrastive Backpropagation”, ACCV 2018.
/// - *Montavon17*: G. Montavon, S. Lapuschkin, A. Binder, W. Samek, K.-R. Müller, “Explaining nonlinear classification
///   decisions with deep Taylor decomposition”, Pattern Recognition 65, 2017.
/// - *Bach15*: S. Bach et al., “On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance
///   propagation”, PLOS ONE 10(7), 2015.
public enum Citations {}
