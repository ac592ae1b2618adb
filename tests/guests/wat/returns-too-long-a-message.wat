(module
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32)
    (i32.store (i32.const 2072) (i32.const 65536))
    (i32.store (i32.const 2076) (i32.const 60000))
    (call $answer)))
