(module
  ;;! honest
  ;;! one check
  (data (i32.const 4000) "\ff\fe\fd")
  (func (export "evaluate") (param i32 i32) (result i32)
    (i32.store (i32.const 2072) (i32.const 4000))
    (i32.store (i32.const 2076) (i32.const 3))
    (call $answer)))
