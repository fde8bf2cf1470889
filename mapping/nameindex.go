package mapping

import "hash/maphash"

// nameIndex finds the fields of a document's objects by their names, and knows
// which ones share theirs with a later field of the same object.
type nameIndex struct {
	// table is an open hash table of field numbers, 0 where free, of a power of two; the last of fields with one name is in it.
	table []uint32
	seed  maphash.Seed
	// duplicates numbers, from 1 and in their order, the fields of an object whose name a later one has too. Usually nil.
	duplicates map[uint32]uint32
}

// indexNames makes the index of all fields that are members of an object.
func indexNames(text string, fields []field) nameIndex {
	members := 0
	for i := range fields {
		if fields[i].kind == kindObject {
			members += int(fields[i].count)
		}
	}
	size := 4
	for size < members+members/2 {
		size *= 2
	}
	x := nameIndex{table: make([]uint32, size), seed: maphash.MakeSeed()}
	var ordinal map[uint32]uint32
	for i := 1; i < len(fields); i++ {
		f := &fields[i]
		if fields[f.parent].kind != kindObject {
			continue
		}
		at, earlier := x.probe(text, fields, f.parent, f.fieldName(text))
		x.table[at] = uint32(i)
		if earlier == 0 {
			continue
		}
		if ordinal == nil {
			ordinal, x.duplicates = map[uint32]uint32{}, map[uint32]uint32{}
		}
		n := max(1, ordinal[earlier])
		x.duplicates[earlier] = n
		ordinal[uint32(i)] = n + 1
	}
	return x
}

// probe returns the place of a name in the table and the field there, or 0.
func (x *nameIndex) probe(text string, fields []field, parent uint32, name string) (at int, found uint32) {
	mask := len(x.table) - 1
	h := maphash.String(x.seed, name) ^ uint64(parent)*0x9E3779B97F4A7C15
	for at = int(h>>32) & mask; ; at = (at + 1) & mask {
		i := x.table[at]
		if i == 0 {
			return at, 0
		}
		if f := &fields[i]; f.parent == parent && f.fieldName(text) == name {
			return at, i
		}
	}
}

// find returns the last field of an object with that name.
func (x *nameIndex) find(text string, fields []field, parent uint32, name string) (uint32, bool) {
	_, i := x.probe(text, fields, parent, name)
	return i, i != 0
}
