/**
 * The protobuf messages of TensorFlow's files, field by field: name, type, number.
 *
 * A field reads as in a .proto file, in one string: `[oneof <group>] [repeated] <type> <number>`, or
 * `map <key> <value> <number>`. Field names are TensorFlow's own (snake_case), so that they are the same in the
 * binary form, in the text form and in code. Message names are flat: TensorFlow's `TensorShapeProto.Dim` is
 * `TensorShapeDim` here; names of types are not part of any file. All messages are proto3.
 *
 * Not here: debug info (`GraphDef.debug_info`), which nothing reads; it is skipped like an unknown field.
 */
export const MESSAGES = {
  GraphDef: {
    node: 'repeated NodeDef 1',
    library: 'FunctionDefLibrary 2',
    version: 'int32 3',
    versions: 'VersionDef 4',
  },
  NodeDef: {
    name: 'string 1',
    op: 'string 2',
    input: 'repeated string 3',
    device: 'string 4',
    attr: 'map string AttrValue 5',
    experimental_debug_info: 'NodeDebugInfo 6',
    experimental_type: 'FullTypeDef 7',
  },
  AttrValue: {
    list: 'oneof value AttrListValue 1',
    s: 'oneof value bytes 2',
    i: 'oneof value int64 3',
    f: 'oneof value float 4',
    b: 'oneof value bool 5',
    type: 'oneof value DataType 6',
    shape: 'oneof value TensorShapeProto 7',
    tensor: 'oneof value TensorProto 8',
    placeholder: 'oneof value string 9',
    func: 'oneof value NameAttrList 10',
  },
  AttrListValue: {
    s: 'repeated bytes 2',
    i: 'repeated int64 3',
    f: 'repeated float 4',
    b: 'repeated bool 5',
    type: 'repeated DataType 6',
    shape: 'repeated TensorShapeProto 7',
    tensor: 'repeated TensorProto 8',
    func: 'repeated NameAttrList 9',
  },
  TensorShapeProto: {
    dim: 'repeated TensorShapeDim 2',
    unknown_rank: 'bool 3',
  },
  TensorShapeDim: {
    size: 'int64 1',
    name: 'string 2',
  },
  TensorProto: {
    dtype: 'DataType 1',
    tensor_shape: 'TensorShapeProto 2',
    version_number: 'int32 3',
    tensor_content: 'bytes 4',
    float_val: 'repeated float 5',
    double_val: 'repeated double 6',
    int_val: 'repeated int32 7',
    string_val: 'repeated bytes 8',
    scomplex_val: 'repeated float 9',
    int64_val: 'repeated int64 10',
    bool_val: 'repeated bool 11',
    dcomplex_val: 'repeated double 12',
    half_val: 'repeated int32 13',
    resource_handle_val: 'repeated ResourceHandleProto 14',
    variant_val: 'repeated VariantTensorDataProto 15',
    uint32_val: 'repeated uint32 16',
    uint64_val: 'repeated uint64 17',
    float8_val: 'bytes 18',
  },
  ResourceHandleProto: {
    device: 'string 1',
    container: 'string 2',
    name: 'string 3',
    hash_code: 'uint64 4',
    maybe_type_name: 'string 5',
    dtypes_and_shapes: 'repeated DtypeAndShape 6',
  },
  DtypeAndShape: {
    dtype: 'DataType 1',
    shape: 'TensorShapeProto 2',
  },
  VariantTensorDataProto: {
    type_name: 'string 1',
    metadata: 'bytes 2',
    tensors: 'repeated TensorProto 3',
  },
  NameAttrList: {
    name: 'string 1',
    attr: 'map string AttrValue 2',
  },
  NodeDebugInfo: {
    original_node_names: 'repeated string 1',
    original_func_names: 'repeated string 2',
  },
  FullTypeDef: {
    type_id: 'FullTypeId 1',
    args: 'repeated FullTypeDef 2',
    s: 'oneof attr string 3',
    i: 'oneof attr int64 4',
  },
  FunctionDefLibrary: {
    function: 'repeated FunctionDef 1',
    gradient: 'repeated GradientDef 2',
    registered_gradients: 'repeated RegisteredGradient 3',
  },
  FunctionDef: {
    signature: 'OpDef 1',
    node_def: 'repeated NodeDef 3',
    ret: 'map string string 4',
    attr: 'map string AttrValue 5',
    control_ret: 'map string string 6',
    arg_attr: 'map uint32 ArgAttrs 7',
    resource_arg_unique_id: 'map uint32 uint32 8',
  },
  OpDef: {
    name: 'string 1',
    input_arg: 'repeated ArgDef 2',
    output_arg: 'repeated ArgDef 3',
    attr: 'repeated AttrDef 4',
    summary: 'string 5',
    description: 'string 6',
    deprecation: 'OpDeprecation 8',
    is_aggregate: 'bool 16',
    is_stateful: 'bool 17',
    is_commutative: 'bool 18',
    allows_uninitialized_input: 'bool 19',
    control_output: 'repeated string 20',
    is_distributed_communication: 'bool 21',
  },
  ArgDef: {
    name: 'string 1',
    description: 'string 2',
    type: 'DataType 3',
    type_attr: 'string 4',
    number_attr: 'string 5',
    type_list_attr: 'string 6',
    handle_data: 'repeated DtypeAndShape 7',
    is_ref: 'bool 16',
    experimental_full_type: 'FullTypeDef 17',
  },
  AttrDef: {
    name: 'string 1',
    type: 'string 2',
    default_value: 'AttrValue 3',
    description: 'string 4',
    has_minimum: 'bool 5',
    minimum: 'int64 6',
    allowed_values: 'AttrValue 7',
  },
  OpDeprecation: {
    version: 'int32 1',
    explanation: 'string 2',
  },
  ArgAttrs: {
    attr: 'map string AttrValue 1',
  },
  GradientDef: {
    function_name: 'string 1',
    gradient_func: 'string 2',
  },
  RegisteredGradient: {
    gradient_func: 'string 1',
    registered_op_type: 'string 2',
  },
  VersionDef: {
    producer: 'int32 1',
    min_consumer: 'int32 2',
    bad_consumers: 'repeated int32 3',
  },
  VariableDef: {
    variable_name: 'string 1',
    initializer_name: 'string 2',
    snapshot_name: 'string 3',
    save_slice_info_def: 'SaveSliceInfoDef 4',
    is_resource: 'bool 5',
    initial_value_name: 'string 6',
    trainable: 'bool 7',
    synchronization: 'VariableSynchronization 8',
    aggregation: 'VariableAggregation 9',
  },
  SaveSliceInfoDef: {
    full_name: 'string 1',
    full_shape: 'repeated int64 2',
    var_offset: 'repeated int64 3',
    var_shape: 'repeated int64 4',
  },
  TensorSliceProto: {
    extent: 'repeated TensorSliceExtent 1',
  },
  TensorSliceExtent: {
    start: 'int64 1',
    length: 'oneof has_length_hack int64 2',
  },
  MetaGraphDef: {
    meta_info_def: 'MetaInfoDef 1',
    graph_def: 'GraphDef 2',
    saver_def: 'SaverDef 3',
    collection_def: 'map string CollectionDef 4',
    signature_def: 'map string SignatureDef 5',
    asset_file_def: 'repeated AssetFileDef 6',
    object_graph_def: 'SavedObjectGraph 7',
  },
  MetaInfoDef: {
    meta_graph_version: 'string 1',
    stripped_op_list: 'OpList 2',
    any_info: 'Any 3',
    tags: 'repeated string 4',
    tensorflow_version: 'string 5',
    tensorflow_git_version: 'string 6',
    stripped_default_attrs: 'bool 7',
    function_aliases: 'map string string 8',
  },
  OpList: {
    op: 'repeated OpDef 1',
  },
  Any: {
    type_url: 'string 1',
    value: 'bytes 2',
  },
  SaverDef: {
    filename_tensor_name: 'string 1',
    save_tensor_name: 'string 2',
    restore_op_name: 'string 3',
    max_to_keep: 'int32 4',
    sharded: 'bool 5',
    keep_checkpoint_every_n_hours: 'float 6',
    version: 'CheckpointFormatVersion 7',
  },
  CollectionDef: {
    node_list: 'oneof kind NodeList 1',
    bytes_list: 'oneof kind BytesList 2',
    int64_list: 'oneof kind Int64List 3',
    float_list: 'oneof kind FloatList 4',
    any_list: 'oneof kind AnyList 5',
  },
  NodeList: {
    value: 'repeated string 1',
  },
  BytesList: {
    value: 'repeated bytes 1',
  },
  Int64List: {
    value: 'repeated int64 1',
  },
  FloatList: {
    value: 'repeated float 1',
  },
  AnyList: {
    value: 'repeated Any 1',
  },
  SignatureDef: {
    inputs: 'map string TensorInfo 1',
    outputs: 'map string TensorInfo 2',
    method_name: 'string 3',
    defaults: 'map string TensorProto 4',
  },
  TensorInfo: {
    name: 'oneof encoding string 1',
    dtype: 'DataType 2',
    tensor_shape: 'TensorShapeProto 3',
    coo_sparse: 'oneof encoding CooSparse 4',
    composite_tensor: 'oneof encoding CompositeTensor 5',
  },
  CooSparse: {
    values_tensor_name: 'string 1',
    indices_tensor_name: 'string 2',
    dense_shape_tensor_name: 'string 3',
  },
  CompositeTensor: {
    type_spec: 'TypeSpecProto 1',
    components: 'repeated TensorInfo 2',
  },
  TypeSpecProto: {
    type_spec_class: 'TypeSpecClass 1',
    type_state: 'StructuredValue 2',
    type_spec_class_name: 'string 3',
    num_flat_components: 'int32 4',
  },
  StructuredValue: {
    none_value: 'oneof kind NoneValue 1',
    float64_value: 'oneof kind double 11',
    int64_value: 'oneof kind sint64 12',
    string_value: 'oneof kind string 13',
    bool_value: 'oneof kind bool 14',
    tensor_shape_value: 'oneof kind TensorShapeProto 31',
    tensor_dtype_value: 'oneof kind DataType 32',
    tensor_spec_value: 'oneof kind TensorSpecProto 33',
    type_spec_value: 'oneof kind TypeSpecProto 34',
    bounded_tensor_spec_value: 'oneof kind BoundedTensorSpecProto 35',
    list_value: 'oneof kind ListValue 51',
    tuple_value: 'oneof kind TupleValue 52',
    dict_value: 'oneof kind DictValue 53',
    named_tuple_value: 'oneof kind NamedTupleValue 54',
    tensor_value: 'oneof kind TensorProto 55',
    numpy_value: 'oneof kind TensorProto 56',
  },
  NoneValue: {},
  TensorSpecProto: {
    name: 'string 1',
    shape: 'TensorShapeProto 2',
    dtype: 'DataType 3',
  },
  BoundedTensorSpecProto: {
    name: 'string 1',
    shape: 'TensorShapeProto 2',
    dtype: 'DataType 3',
    minimum: 'TensorProto 4',
    maximum: 'TensorProto 5',
  },
  ListValue: {
    values: 'repeated StructuredValue 1',
  },
  TupleValue: {
    values: 'repeated StructuredValue 1',
  },
  DictValue: {
    fields: 'map string StructuredValue 1',
  },
  NamedTupleValue: {
    name: 'string 1',
    values: 'repeated PairValue 2',
  },
  PairValue: {
    key: 'string 1',
    value: 'StructuredValue 2',
  },
  AssetFileDef: {
    tensor_info: 'TensorInfo 1',
    filename: 'string 2',
  },
  SavedObjectGraph: {
    nodes: 'repeated SavedObject 1',
    concrete_functions: 'map string SavedConcreteFunction 2',
  },
  SavedObject: {
    children: 'repeated ObjectReference 1',
    slot_variables: 'repeated SlotVariableReference 3',
    user_object: 'oneof kind SavedUserObject 4',
    asset: 'oneof kind SavedAsset 5',
    function: 'oneof kind SavedFunction 6',
    variable: 'oneof kind SavedVariable 7',
    bare_concrete_function: 'oneof kind SavedBareConcreteFunction 8',
    constant: 'oneof kind SavedConstant 9',
    resource: 'oneof kind SavedResource 10',
    saveable_objects: 'map string SaveableObject 11',
    captured_tensor: 'oneof kind CapturedTensor 12',
    registered_name: 'string 13',
    serialized_user_proto: 'Any 14',
    dependencies: 'repeated ObjectReference 15',
    registered_saver: 'string 16',
  },
  ObjectReference: {
    node_id: 'int32 1',
    local_name: 'string 2',
  },
  SlotVariableReference: {
    original_variable_node_id: 'int32 1',
    slot_name: 'string 2',
    slot_variable_node_id: 'int32 3',
  },
  SavedUserObject: {
    identifier: 'string 1',
    version: 'VersionDef 2',
    metadata: 'string 3',
  },
  SavedAsset: {
    asset_file_def_index: 'int32 1',
  },
  SavedFunction: {
    concrete_functions: 'repeated string 1',
    function_spec: 'FunctionSpec 2',
  },
  FunctionSpec: {
    fullargspec: 'StructuredValue 1',
    is_method: 'bool 2',
    input_signature: 'StructuredValue 5',
    jit_compile: 'JitCompile 6',
  },
  SavedVariable: {
    dtype: 'DataType 1',
    shape: 'TensorShapeProto 2',
    trainable: 'bool 3',
    synchronization: 'VariableSynchronization 4',
    aggregation: 'VariableAggregation 5',
    name: 'string 6',
    device: 'string 7',
    experimental_distributed_variable_components: 'repeated SavedVariable 8',
  },
  SavedBareConcreteFunction: {
    concrete_function_name: 'string 1',
    argument_keywords: 'repeated string 2',
    allowed_positional_arguments: 'int64 3',
    function_spec: 'FunctionSpec 4',
  },
  SavedConstant: {
    operation: 'string 1',
  },
  SavedResource: {
    device: 'string 1',
  },
  SaveableObject: {
    save_function: 'int32 2',
    restore_function: 'int32 3',
  },
  CapturedTensor: {
    name: 'string 1',
    concrete_function: 'string 2',
  },
  SavedConcreteFunction: {
    bound_inputs: 'repeated int32 2',
    canonicalized_input_signature: 'StructuredValue 3',
    output_signature: 'StructuredValue 4',
  },
  SavedModel: {
    saved_model_schema_version: 'int64 1',
    meta_graphs: 'repeated MetaGraphDef 2',
  },
  TrackableObjectGraph: {
    nodes: 'repeated TrackableObject 1',
  },
  TrackableObject: {
    children: 'repeated ObjectReference 1',
    attributes: 'repeated SerializedTensor 2',
    slot_variables: 'repeated SlotVariableReference 3',
    registered_saver: 'RegisteredSaver 4',
    has_checkpoint_values: 'BoolValue 5',
  },
  SerializedTensor: {
    name: 'string 1',
    full_name: 'string 2',
    checkpoint_key: 'string 3',
  },
  RegisteredSaver: {
    name: 'string 1',
    object_name: 'string 2',
  },
  BoolValue: {
    value: 'bool 1',
  },
  BundleHeaderProto: {
    num_shards: 'int32 1',
    endianness: 'Endianness 2',
    version: 'VersionDef 3',
  },
  BundleEntryProto: {
    dtype: 'DataType 1',
    shape: 'TensorShapeProto 2',
    shard_id: 'int32 3',
    offset: 'int64 4',
    size: 'int64 5',
    crc32c: 'fixed32 6',
    slices: 'repeated TensorSliceProto 7',
  },
  CheckpointState: {
    model_checkpoint_path: 'string 1',
    all_model_checkpoint_paths: 'repeated string 2',
    all_model_checkpoint_timestamps: 'repeated double 3',
    last_preserved_timestamp: 'double 4',
  },
  SavedSliceMeta: {
    name: 'string 1',
    shape: 'TensorShapeProto 2',
    type: 'DataType 3',
    slice: 'repeated TensorSliceProto 4',
  },
  SavedTensorSliceMeta: {
    tensor: 'repeated SavedSliceMeta 1',
    versions: 'VersionDef 2',
  },
  SavedSlice: {
    name: 'string 1',
    slice: 'TensorSliceProto 2',
    data: 'TensorProto 3',
  },
  SavedTensorSlices: {
    meta: 'SavedTensorSliceMeta 1',
    data: 'SavedSlice 2',
  },
} as const;

/** Fields that exist but are left out above: the text form must know them to skip them. */
export const SKIPPED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  GraphDef: ['debug_info'],
};

/** Enums of the messages above; open, as in proto3: a number without a name is kept as it is. */
export const ENUMS = {
  DataType: {
    DT_INVALID: 0,
    DT_FLOAT: 1,
    DT_DOUBLE: 2,
    DT_INT32: 3,
    DT_UINT8: 4,
    DT_INT16: 5,
    DT_INT8: 6,
    DT_STRING: 7,
    DT_COMPLEX64: 8,
    DT_INT64: 9,
    DT_BOOL: 10,
    DT_QINT8: 11,
    DT_QUINT8: 12,
    DT_QINT32: 13,
    DT_BFLOAT16: 14,
    DT_QINT16: 15,
    DT_QUINT16: 16,
    DT_UINT16: 17,
    DT_COMPLEX128: 18,
    DT_HALF: 19,
    DT_RESOURCE: 20,
    DT_VARIANT: 21,
    DT_UINT32: 22,
    DT_UINT64: 23,
    DT_FLOAT8_E5M2: 24,
    DT_FLOAT8_E4M3FN: 25,
    DT_FLOAT8_E4M3FNUZ: 26,
    DT_FLOAT8_E4M3B11FNUZ: 27,
    DT_FLOAT8_E5M2FNUZ: 28,
    DT_INT4: 29,
    DT_UINT4: 30,
    DT_INT2: 31,
    DT_UINT2: 32,
    DT_FLOAT4_E2M1FN: 33,
    DT_FLOAT_REF: 101,
    DT_DOUBLE_REF: 102,
    DT_INT32_REF: 103,
    DT_UINT8_REF: 104,
    DT_INT16_REF: 105,
    DT_INT8_REF: 106,
    DT_STRING_REF: 107,
    DT_COMPLEX64_REF: 108,
    DT_INT64_REF: 109,
    DT_BOOL_REF: 110,
    DT_QINT8_REF: 111,
    DT_QUINT8_REF: 112,
    DT_QINT32_REF: 113,
    DT_BFLOAT16_REF: 114,
    DT_QINT16_REF: 115,
    DT_QUINT16_REF: 116,
    DT_UINT16_REF: 117,
    DT_COMPLEX128_REF: 118,
    DT_HALF_REF: 119,
    DT_RESOURCE_REF: 120,
    DT_VARIANT_REF: 121,
    DT_UINT32_REF: 122,
    DT_UINT64_REF: 123,
    DT_FLOAT8_E5M2_REF: 124,
    DT_FLOAT8_E4M3FN_REF: 125,
    DT_FLOAT8_E4M3FNUZ_REF: 126,
    DT_FLOAT8_E4M3B11FNUZ_REF: 127,
    DT_FLOAT8_E5M2FNUZ_REF: 128,
    DT_INT4_REF: 129,
    DT_UINT4_REF: 130,
    DT_INT2_REF: 131,
    DT_UINT2_REF: 132,
    DT_FLOAT4_E2M1FN_REF: 133,
  },
  FullTypeId: {
    TFT_UNSET: 0,
    TFT_VAR: 1,
    TFT_ANY: 2,
    TFT_PRODUCT: 3,
    TFT_NAMED: 4,
    TFT_FOR_EACH: 20,
    TFT_CALLABLE: 100,
    TFT_TENSOR: 1000,
    TFT_ARRAY: 1001,
    TFT_OPTIONAL: 1002,
    TFT_LITERAL: 1003,
    TFT_ENCODED: 1004,
    TFT_SHAPE_TENSOR: 1005,
    TFT_BOOL: 200,
    TFT_UINT8: 201,
    TFT_UINT16: 202,
    TFT_UINT32: 203,
    TFT_UINT64: 204,
    TFT_INT8: 205,
    TFT_INT16: 206,
    TFT_INT32: 207,
    TFT_INT64: 208,
    TFT_HALF: 209,
    TFT_FLOAT: 210,
    TFT_DOUBLE: 211,
    TFT_BFLOAT16: 215,
    TFT_COMPLEX64: 212,
    TFT_COMPLEX128: 213,
    TFT_STRING: 214,
    TFT_DATASET: 10102,
    TFT_RAGGED: 10103,
    TFT_ITERATOR: 10104,
    TFT_MUTEX_LOCK: 10202,
    TFT_LEGACY_VARIANT: 10203,
  },
  VariableSynchronization: {
    VARIABLE_SYNCHRONIZATION_AUTO: 0,
    VARIABLE_SYNCHRONIZATION_NONE: 1,
    VARIABLE_SYNCHRONIZATION_ON_WRITE: 2,
    VARIABLE_SYNCHRONIZATION_ON_READ: 3,
  },
  VariableAggregation: {
    VARIABLE_AGGREGATION_NONE: 0,
    VARIABLE_AGGREGATION_SUM: 1,
    VARIABLE_AGGREGATION_MEAN: 2,
    VARIABLE_AGGREGATION_ONLY_FIRST_REPLICA: 3,
  },
  CheckpointFormatVersion: { LEGACY: 0, V1: 1, V2: 2 },
  TypeSpecClass: {
    UNKNOWN: 0,
    SPARSE_TENSOR_SPEC: 1,
    INDEXED_SLICES_SPEC: 2,
    RAGGED_TENSOR_SPEC: 3,
    TENSOR_ARRAY_SPEC: 4,
    DATA_DATASET_SPEC: 5,
    DATA_ITERATOR_SPEC: 6,
    OPTIONAL_SPEC: 7,
    PER_REPLICA_SPEC: 8,
    VARIABLE_SPEC: 9,
    ROW_PARTITION_SPEC: 10,
    REGISTERED_TYPE_SPEC: 12,
    EXTENSION_TYPE_SPEC: 13,
  },
  JitCompile: { DEFAULT: 0, ON: 1, OFF: 2 },
  Endianness: { LITTLE: 0, BIG: 1 },
} as const;

type Messages = typeof MESSAGES;
type Enums = typeof ENUMS;

export type MessageName = keyof Messages;
export type EnumName = keyof Enums;

interface Scalars {
  double: number;
  float: number;
  int32: number;
  uint32: number;
  sint32: number;
  fixed32: number;
  int64: bigint;
  uint64: bigint;
  sint64: bigint;
  fixed64: bigint;
  bool: boolean;
  string: string;
  bytes: Uint8Array;
}

/** The type of one value: scalars, enum numbers, messages. */
type Value<T extends string> = T extends keyof Scalars
  ? Scalars[T]
  : T extends EnumName
    ? number
    : T extends MessageName
      ? Message<T>
      : never;

/** A message that is not there is null; a scalar that is not there has its default. */
type Single<T extends string> = T extends MessageName ? Message<T> | null : Value<T>;

type Field<F> = F extends `oneof ${string} ${infer T} ${number}`
  ? Single<T>
  : F extends `map ${string} ${infer V} ${number}`
    ? Readonly<Record<string, Value<V>>>
    : F extends `repeated ${infer T} ${number}`
      ? readonly Value<T>[]
      : F extends `${infer T} ${number}`
        ? Single<T>
        : never;

type OneofsOf<M> = { [K in keyof M]: M[K] extends `oneof ${infer O} ${string}` ? O : never }[keyof M];
type CasesOf<M, O extends string> = {
  [K in keyof M]: M[K] extends `oneof ${O} ${string}` ? K : never;
}[keyof M];

/**
 * A decoded message. Every field is there, with its default when the file has none. A oneof group adds a
 * property of its name that tells which of its fields is set: `attr.value === 'tensor'`.
 */
export type Message<N extends MessageName> = {
  [K in keyof Messages[N]]: Field<Messages[N][K]>;
} & {
  readonly [O in OneofsOf<Messages[N]> & string]: CasesOf<Messages[N], O> | undefined;
};

type InitValue<T extends string> = T extends MessageName ? MessageInit<T> : Value<T>;
type InitField<F> = F extends `oneof ${string} ${infer T} ${number}`
  ? InitValue<T> | null
  : F extends `map ${string} ${infer V} ${number}`
    ? Readonly<Record<string, InitValue<V>>>
    : F extends `repeated ${infer T} ${number}`
      ? readonly InitValue<T>[]
      : F extends `${infer T} ${number}`
        ? InitValue<T> | null
        : never;

/** A message to be encoded: plain objects, fields left out have their default. */
export type MessageInit<N extends MessageName> = {
  readonly [K in keyof Messages[N]]?: InitField<Messages[N][K]>;
};

export type GraphDef = Message<'GraphDef'>;
export type NodeDef = Message<'NodeDef'>;
export type AttrValue = Message<'AttrValue'>;
export type NameAttrList = Message<'NameAttrList'>;
export type TensorProto = Message<'TensorProto'>;
export type TensorShapeProto = Message<'TensorShapeProto'>;
export type FunctionDef = Message<'FunctionDef'>;
export type OpDef = Message<'OpDef'>;
export type MetaGraphDef = Message<'MetaGraphDef'>;
export type SignatureDef = Message<'SignatureDef'>;
export type TensorInfo = Message<'TensorInfo'>;
export type SavedModel = Message<'SavedModel'>;
export type SavedObject = Message<'SavedObject'>;
export type SavedObjectGraph = Message<'SavedObjectGraph'>;
export type TrackableObjectGraph = Message<'TrackableObjectGraph'>;
export type TensorSliceProto = Message<'TensorSliceProto'>;
