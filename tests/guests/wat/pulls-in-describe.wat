(module
  (import "lockgate:policy/metrics@1.0.0" "candidate" (func $candidate (param i32)))
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
  (func (export "describe") (result i32) (call $candidate (i32.const 16)) (unreachable))
  (func (export "evaluate") (param i32 i32) (result i32) (unreachable)))
