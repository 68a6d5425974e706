/// The publications that the documentation of rules and methods cites by name.
///
/// - *Achtibat23*: R. Achtibat et al., “From attribution maps to human-understandable explanations through Concept Relevance Propagation”,
///   Nature Machine Intelligence 5, 2023.
/// - *Achtibat24*: R. Achtibat et al., “AttnLRP: attention-aware layer-wise relevance propagation for transformers”, ICML 2024.
/// - *Ali22*: A. Ali et al., “XAI for transformers: better explanations through conservative propagation”, ICML 2022.
/// - *Andeol21*: L. Andéol et al., “Learning domain invariant representations by joint Wasserstein distance minimization”,
///   arXiv 2106.04923, 2021.
/// - *Arras17*: L. Arras, G. Montavon, K.-R. Müller, W. Samek, “Explaining recurrent neural network predictions in sentiment
///   analysis”, WASSA 2017.
/// - *Bach15*: S. Bach et al., “On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance
///   propagation”, PLOS ONE 10(7), 2015.
/// - *Binder16*: A. Binder et al., “Layer-wise relevance propagation for neural networks with local renormalization layers”,
///   ICANN 2016.
/// - *Eberle20*: O. Eberle et al., “Building and interpreting deep similarity models”, IEEE Transactions on Pattern Analysis and Machine
///   Intelligence 44(3), 2022; arXiv 2003.05431, 2020.
/// - *Gu18*: J. Gu, Y. Yang, V. Tresp, “Understanding Individual Decisions of CNNs via Contrastive Backpropagation”, ACCV 2018.
/// - *Iwana19*: B. K. Iwana, R. Kuroki, S. Uchida, “Explaining convolutional neural networks using softmax gradient
///   layer-wise relevance propagation”, ICCV workshop 2019.
/// - *Kohlbrenner20*: M. Kohlbrenner et al., “Towards best practice in explaining neural network decisions with LRP”, IJCNN 2020.
/// - *Lapuschkin19*: S. Lapuschkin et al., “Unmasking Clever Hans predictors and assessing what machines really learn”, Nature
///   Communications 10, 2019.
/// - *Montavon17*: G. Montavon, S. Lapuschkin, A. Binder, W. Samek, K.-R. Müller, “Explaining nonlinear classification
///   decisions with deep Taylor decomposition”, Pattern Recognition 65, 2017.
/// - *Montavon19*: G. Montavon et al., “Layer-wise relevance propagation: an overview”, in Explainable AI, LNCS 11700, 2019.
/// - *Selvaraju17*: R. R. Selvaraju et al., “Grad-CAM: visual explanations from deep networks via gradient-based
///   localization”, ICCV 2017.
/// - *Shrikumar16*: A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje, “Not just a black box: learning important features through
///   propagating activation differences”, arXiv 1605.01713, 2016.
/// - *Simonyan14*: K. Simonyan, A. Vedaldi, A. Zisserman, “Deep inside convolutional networks”, ICLR workshop 2014.
/// - *Smilkov17*: D. Smilkov et al., “SmoothGrad: removing noise by adding noise”, arXiv 1706.03825, 2017.
/// - *Springenberg15*: J. T. Springenberg et al., “Striving for simplicity: the all convolutional net”, ICLR workshop 2015.
/// - *Sundararajan17*: M. Sundararajan, A. Taly, Q. Yan, “Axiomatic attribution for deep networks”, ICML 2017.
/// - *Zeiler14*: M. D. Zeiler, R. Fergus, “Visualizing and understanding convolutional networks”, ECCV 2014.
/// - *Zhang16*: J. Zhang et al., “Top-down neural attention by excitation backprop”, ECCV 2016.
public enum Citations {}
