/// `y = x`.
package struct Identity: PassingThrough {
  package init() {}
  package var kind: OperatorKind { .identity }
}
