(module
  (import "lockgate:policy/model@1.0.0" "tag" (func $tag (param i32 i32 i32)))
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32)
    ;; 32 KiB of zeros
    (call $tag (i32.const 4096) (i32.const 32768) (i32.const 3000))
    (call $answer)))
