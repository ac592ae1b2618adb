(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
  (func (export "describe") (result i32) (loop $again (br $again)) (unreachable))
  (func (export "evaluate") (param i32 i32) (result i32) (unreachable)))
