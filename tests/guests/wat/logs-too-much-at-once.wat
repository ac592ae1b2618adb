(module
  (import "lockgate:policy/log@1.0.0" "log" (func $log (param i32 i32 i32)))
  ;;! honest
  (func (export "evaluate") (param i32 i32) (result i32)
    (drop (memory.grow (i32.const 64)))
    (call $log (i32.const 1) (i32.const 0) (i32.const 4000000))
    (unreachable)))
