(module
  ;;! honest
  ;; 10,000 checks whose messages are the same 4 MiB: 40 GiB when each is copied
  (func (export "evaluate") (param i32 i32) (result i32)
    (local $check i32)
    (drop (memory.grow (i32.const 100)))
    (local.set $check (i32.const 131072))
    (loop $again
      (i32.store offset=24 (local.get $check) (i32.const 131072))
      (i32.store offset=28 (local.get $check) (i32.const 4194304))
      (local.set $check (i32.add (local.get $check) (i32.const 96)))
      (br_if $again (i32.lt_u (local.get $check) (i32.const 1091072))))
    (i32.store (i32.const 2004) (i32.const 131072))
    (i32.store (i32.const 2008) (i32.const 10000))
    (i32.const 2000)))
