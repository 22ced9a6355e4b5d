; Philox4x32-10 of a counter (index, block) and a key: 128 bits as two halves.
define internal { i64, i64 } @mh.random.block(i64 %key, i64 %index, i64 %block) alwaysinline nounwind willreturn memory(none) {
  %x0 = and i64 %index, 4294967295
  %x1 = lshr i64 %index, 32
  %x2 = and i64 %block, 4294967295
  %x3 = lshr i64 %block, 32
  %k0 = and i64 %key, 4294967295
  %k1 = lshr i64 %key, 32
  %pa0 = mul nuw i64 %x0, 3528531795
  %pb0 = mul nuw i64 %x2, 3449720151
  %ha0 = lshr i64 %pa0, 32
  %la0 = and i64 %pa0, 4294967295
  %hb0 = lshr i64 %pb0, 32
  %lb0 = and i64 %pb0, 4294967295
  %n00t = xor i64 %hb0, %x1
  %n00 = xor i64 %n00t, %k0
  %n20t = xor i64 %ha0, %x3
  %n20 = xor i64 %n20t, %k1
  %ka1t = add i64 %k0, 2654435769
  %ka1 = and i64 %ka1t, 4294967295
  %kb1t = add i64 %k1, 3144134277
  %kb1 = and i64 %kb1t, 4294967295
  %pa1 = mul nuw i64 %n00, 3528531795
  %pb1 = mul nuw i64 %n20, 3449720151
  %ha1 = lshr i64 %pa1, 32
  %la1 = and i64 %pa1, 4294967295
  %hb1 = lshr i64 %pb1, 32
  %lb1 = and i64 %pb1, 4294967295
  %n01t = xor i64 %hb1, %lb0
  %n01 = xor i64 %n01t, %ka1
  %n21t = xor i64 %ha1, %la0
  %n21 = xor i64 %n21t, %kb1
  %ka2t = add i64 %k0, 1013904242
  %ka2 = and i64 %ka2t, 4294967295
  %kb2t = add i64 %k1, 1993301258
  %kb2 = and i64 %kb2t, 4294967295
  %pa2 = mul nuw i64 %n01, 3528531795
  %pb2 = mul nuw i64 %n21, 3449720151
  %ha2 = lshr i64 %pa2, 32
  %la2 = and i64 %pa2, 4294967295
  %hb2 = lshr i64 %pb2, 32
  %lb2 = and i64 %pb2, 4294967295
  %n02t = xor i64 %hb2, %lb1
  %n02 = xor i64 %n02t, %ka2
  %n22t = xor i64 %ha2, %la1
  %n22 = xor i64 %n22t, %kb2
  %ka3t = add i64 %k0, 3668340011
  %ka3 = and i64 %ka3t, 4294967295
  %kb3t = add i64 %k1, 842468239
  %kb3 = and i64 %kb3t, 4294967295
  %pa3 = mul nuw i64 %n02, 3528531795
  %pb3 = mul nuw i64 %n22, 3449720151
  %ha3 = lshr i64 %pa3, 32
  %la3 = and i64 %pa3, 4294967295
  %hb3 = lshr i64 %pb3, 32
  %lb3 = and i64 %pb3, 4294967295
  %n03t = xor i64 %hb3, %lb2
  %n03 = xor i64 %n03t, %ka3
  %n23t = xor i64 %ha3, %la2
  %n23 = xor i64 %n23t, %kb3
  %ka4t = add i64 %k0, 2027808484
  %ka4 = and i64 %ka4t, 4294967295
  %kb4t = add i64 %k1, 3986602516
  %kb4 = and i64 %kb4t, 4294967295
  %pa4 = mul nuw i64 %n03, 3528531795
  %pb4 = mul nuw i64 %n23, 3449720151
  %ha4 = lshr i64 %pa4, 32
  %la4 = and i64 %pa4, 4294967295
  %hb4 = lshr i64 %pb4, 32
  %lb4 = and i64 %pb4, 4294967295
  %n04t = xor i64 %hb4, %lb3
  %n04 = xor i64 %n04t, %ka4
  %n24t = xor i64 %ha4, %la3
  %n24 = xor i64 %n24t, %kb4
  %ka5t = add i64 %k0, 387276957
  %ka5 = and i64 %ka5t, 4294967295
  %kb5t = add i64 %k1, 2835769497
  %kb5 = and i64 %kb5t, 4294967295
  %pa5 = mul nuw i64 %n04, 3528531795
  %pb5 = mul nuw i64 %n24, 3449720151
  %ha5 = lshr i64 %pa5, 32
  %la5 = and i64 %pa5, 4294967295
  %hb5 = lshr i64 %pb5, 32
  %lb5 = and i64 %pb5, 4294967295
  %n05t = xor i64 %hb5, %lb4
  %n05 = xor i64 %n05t, %ka5
  %n25t = xor i64 %ha5, %la4
  %n25 = xor i64 %n25t, %kb5
  %ka6t = add i64 %k0, 3041712726
  %ka6 = and i64 %ka6t, 4294967295
  %kb6t = add i64 %k1, 1684936478
  %kb6 = and i64 %kb6t, 4294967295
  %pa6 = mul nuw i64 %n05, 3528531795
  %pb6 = mul nuw i64 %n25, 3449720151
  %ha6 = lshr i64 %pa6, 32
  %la6 = and i64 %pa6, 4294967295
  %hb6 = lshr i64 %pb6, 32
  %lb6 = and i64 %pb6, 4294967295
  %n06t = xor i64 %hb6, %lb5
  %n06 = xor i64 %n06t, %ka6
  %n26t = xor i64 %ha6, %la5
  %n26 = xor i64 %n26t, %kb6
  %ka7t = add i64 %k0, 1401181199
  %ka7 = and i64 %ka7t, 4294967295
  %kb7t = add i64 %k1, 534103459
  %kb7 = and i64 %kb7t, 4294967295
  %pa7 = mul nuw i64 %n06, 3528531795
  %pb7 = mul nuw i64 %n26, 3449720151
  %ha7 = lshr i64 %pa7, 32
  %la7 = and i64 %pa7, 4294967295
  %hb7 = lshr i64 %pb7, 32
  %lb7 = and i64 %pb7, 4294967295
  %n07t = xor i64 %hb7, %lb6
  %n07 = xor i64 %n07t, %ka7
  %n27t = xor i64 %ha7, %la6
  %n27 = xor i64 %n27t, %kb7
  %ka8t = add i64 %k0, 4055616968
  %ka8 = and i64 %ka8t, 4294967295
  %kb8t = add i64 %k1, 3678237736
  %kb8 = and i64 %kb8t, 4294967295
  %pa8 = mul nuw i64 %n07, 3528531795
  %pb8 = mul nuw i64 %n27, 3449720151
  %ha8 = lshr i64 %pa8, 32
  %la8 = and i64 %pa8, 4294967295
  %hb8 = lshr i64 %pb8, 32
  %lb8 = and i64 %pb8, 4294967295
  %n08t = xor i64 %hb8, %lb7
  %n08 = xor i64 %n08t, %ka8
  %n28t = xor i64 %ha8, %la7
  %n28 = xor i64 %n28t, %kb8
  %ka9t = add i64 %k0, 2415085441
  %ka9 = and i64 %ka9t, 4294967295
  %kb9t = add i64 %k1, 2527404717
  %kb9 = and i64 %kb9t, 4294967295
  %pa9 = mul nuw i64 %n08, 3528531795
  %pb9 = mul nuw i64 %n28, 3449720151
  %ha9 = lshr i64 %pa9, 32
  %la9 = and i64 %pa9, 4294967295
  %hb9 = lshr i64 %pb9, 32
  %lb9 = and i64 %pb9, 4294967295
  %n09t = xor i64 %hb9, %lb8
  %n09 = xor i64 %n09t, %ka9
  %n29t = xor i64 %ha9, %la8
  %n29 = xor i64 %n29t, %kb9
  %s0 = shl i64 %lb9, 32
  %u = or i64 %s0, %n09
  %s2 = shl i64 %la9, 32
  %v = or i64 %s2, %n29
  %r0 = insertvalue { i64, i64 } undef, i64 %u, 0
  %r1 = insertvalue { i64, i64 } %r0, i64 %v, 1
  ret { i64, i64 } %r1
}

; The next 64 bits of a state.
define internal i64 @mh.random.bits(ptr %state) alwaysinline nounwind willreturn {
  %at.index = getelementptr inbounds i8, ptr %state, i64 8
  %at.draw = getelementptr inbounds i8, ptr %state, i64 16
  %key = load i64, ptr %state
  %index = load i64, ptr %at.index
  %draw = load i64, ptr %at.draw
  %next = add i64 %draw, 1
  store i64 %next, ptr %at.draw
  %block = lshr i64 %draw, 1
  %bits = call { i64, i64 } @mh.random.block(i64 %key, i64 %index, i64 %block)
  %first = extractvalue { i64, i64 } %bits, 0
  %second = extractvalue { i64, i64 } %bits, 1
  %odd = trunc i64 %draw to i1
  %half = select i1 %odd, i64 %second, i64 %first
  ret i64 %half
}

; The block of the next draw among those of `Normal`: both halves.
define internal { i64, i64 } @mh.random.pair(ptr %state) alwaysinline nounwind willreturn {
  %at.index = getelementptr inbounds i8, ptr %state, i64 8
  %at.draw = getelementptr inbounds i8, ptr %state, i64 16
  %key = load i64, ptr %state
  %index = load i64, ptr %at.index
  %draw = load i64, ptr %at.draw
  %next = add i64 %draw, 1
  store i64 %next, ptr %at.draw
  %number = lshr i64 %draw, 1
  %block = or i64 %number, -9223372036854775808
  %bits = call { i64, i64 } @mh.random.block(i64 %key, i64 %index, i64 %block)
  ret { i64, i64 } %bits
}

; The key of a loop: takes one draw of the state around it.
define internal i64 @mh.random.loop(ptr %state) alwaysinline nounwind willreturn {
  %at.index = getelementptr inbounds i8, ptr %state, i64 8
  %at.draw = getelementptr inbounds i8, ptr %state, i64 16
  %key = load i64, ptr %state
  %index = load i64, ptr %at.index
  %draw = load i64, ptr %at.draw
  %next = add i64 %draw, 1
  store i64 %next, ptr %at.draw
  %block = or i64 %draw, 4611686018427387904
  %bits = call { i64, i64 } @mh.random.block(i64 %key, i64 %index, i64 %block)
  %first = extractvalue { i64, i64 } %bits, 0
  ret i64 %first
}
