#include "rules/quantize_job.h"

#include <fmt/core.h>

#include "base/error.h"
#include "rules/display.h"
#include "rules/gguf_artifact.h"
#include "rules/importance.h"
#include "rules/tensor_scale.h"

namespace qbuild::rules {
namespace {

using engine::ActionRequest;

constexpr std::uint64_t kMaxTemplateBytes = 4u << 20;
constexpr std::string_view kOutputName = "model.gguf";

const Recipe& recipe_of(const ActionRequest& request) {
  const std::string& name = request.params.at("recipe").as_string();
  const Recipe* const recipe = find_recipe(name);
  if (recipe == nullptr) throw Error(ErrorKind::kUnsupported, "unknown recipe " + name);
  return *recipe;
}

std::vector<Override> overrides_of(const Json& params) {
  std::vector<Override> overrides;
  for (const Json& json : params.at("overrides").as_array()) {
    Override override{.match = json.at("match").as_string(), .layers = {}, .type = DType::kF32};
    for (const Json& range : json.at("layers").as_array())
      override.layers.emplace_back(static_cast<int>(range.as_array().at(0).as_int()),
                                   static_cast<int>(range.as_array().at(1).as_int()));
    const auto type = dtype_from_name(json.at("type").as_string());
    if (!type) throw Error(ErrorKind::kInvalidInput, "unknown type " + json.at("type").as_string());
    override.type = *type;
    overrides.push_back(std::move(override));
  }
  return overrides;
}

kernels::Effort effort_of(const Json& params) {
  const std::string& effort = params.at("effort").as_string();
  if (effort != "default" && effort != "best")
    throw Error(ErrorKind::kInvalidInput, "unknown effort " + effort);
  return effort == "best" ? kernels::Effort::kBest : kernels::Effort::kDefault;
}

HeaderWishes wishes_of(const ActionRequest& request, FileSystem& files, const Recipe& recipe) {
  HeaderWishes wishes{.name = request.params.get_string("name"),
                      .file_type = recipe.file_type,
                      .chat_template = {}};
  for (const engine::ResolvedInput& input : request.inputs)
    if (input.label == "template")
      wishes.chat_template = read_file(files, input.paths.at(0), kMaxTemplateBytes);
  return wishes;
}

// What was planned is an estimate, and the disk has had time to fill up: better to say so now than
// after an hour.
void require_space(FileSystem& files, const fs::path& folder, std::uint64_t bytes) {
  const std::uint64_t free = files.free_bytes(folder);
  if (free >= bytes) return;
  throw Error(ErrorKind::kExhausted,
              fmt::format("{}: it needs {} bytes in {}, {} are free; free some, or point --store "
                          "elsewhere",
                          kOutputName, bytes, folder.string(), free));
}

std::string_view origin_text(QuantizeJob::Origin origin) {
  return origin == QuantizeJob::Origin::kCopied ? "  (copied)" : "";
}

}  // namespace

QuantizeJob::QuantizeJob(const ActionRequest& request, engine::ActionContext& context,
                         const WeightSource& source, FoundTensors& artifacts)
    : request_(request),
      context_(context),
      source_(source),
      recipe_(recipe_of(request)),
      partial_(context.file_system(), request.scratch, kOutputName),
      earlier_(context.file_system(), partial_.earlier()),
      artifacts_(artifacts) {
  for (const engine::ResolvedInput& input : request.inputs)
    if (input.label == "imatrix")
      imatrix_ = formats::Imatrix::open(context.file_system(), input.paths.at(0));
  const auto& tensors = source.tensors();
  const auto overrides = overrides_of(request.params);
  const auto choices =
      choose_types(recipe_, {.overrides = overrides, .has_importance = imatrix_.has_value()},
                   specs_of(tensors), source.network());
  check_stored_types(tensors, choices, request.context.get_bool("requantize", false));
  const kernels::Effort effort = effort_of(request.params);
  const auto scaled = scaled_tensors(tensors, choices, source.network().architecture);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    encodings_.push_back({.type = choices[i].type, .effort = effort, .is_scaled = scaled[i]});
    // Where its name sorts: before the weight.
    if (scaled[i])
      specs_.push_back(
          {scale_name(tensors[i].name).value(), {matrices_of(tensors[i])}, DType::kF32});
    in_file_.push_back(specs_.size());
    specs_.push_back({tensors[i].name, tensors[i].shape, choices[i].type});
    values_ += tensors[i].values();
  }
  formats::GgufMetadata metadata =
      source.metadata(wishes_of(request, context.file_system(), recipe_));
  if (imatrix_) describe_importance(*imatrix_, request.params.at("imatrix").as_string(), metadata);
  open(metadata);
}

const Encoding& QuantizeJob::encoding(std::size_t tensor) {
  if (tensor_ == tensor) return encoding_;
  encoding_ = encodings_[tensor];
  if (imatrix_)
    encoding_.importance = importance_of(*imatrix_, source_.tensors()[tensor], encoding_.type);
  tensor_ = tensor;
  return encoding_;
}

void QuantizeJob::open(const formats::GgufMetadata& metadata) {
  FileSystem& files = context_.file_system();
  file_ = std::make_unique<HashingFile>(files.create(partial_.path(), CreateMode::kExclusive));
  writer_ = std::make_unique<formats::GgufWriter>(*file_, metadata, specs_);
  require_space(files, request_.scratch, writer_->total_bytes() - file_->size_bytes());
}

void QuantizeJob::append(const EncodedPiece& piece) {
  written_of_tensor_ += piece->size();
  writing_.run([this, piece] {
    with_context(fmt::format("{} ({} bytes)", kOutputName, writer_->total_bytes()),
                 [&] { writer_->append(*piece); });
    checksum_.update(*piece);
  });
}

void QuantizeJob::begin_scaled(std::size_t tensor, std::string_view checksum,
                               const std::shared_ptr<const std::vector<float>>& scales) {
  static_cast<void>(encoding(tensor));
  encoding_.scales = scales;
  const Bytes bytes = std::as_bytes(std::span(*scales));
  append(std::make_shared<const UnsetVector<std::byte>>(bytes.begin(), bytes.end()));
  end_piece(in_file_[tensor] - 1, scale_piece_key(source_.tensors()[tensor], checksum));
}

bool QuantizeJob::may_copy(std::size_t tensor) const {
  const std::uint64_t size_bytes = writer_->size_of(in_file_[tensor]);
  return earlier_.has_size(size_bytes) || artifacts_.has_size(size_bytes);
}

bool QuantizeJob::copy(std::size_t tensor, std::string_view checksum) {
  const std::string key = piece_key(source_.tensors()[tensor], checksum, encoding(tensor));
  writing_.finish();
  const std::uint64_t size_bytes = writer_->size_of(in_file_[tensor]);
  const auto sink = [&](Bytes bytes) {
    writer_->append(bytes);
    checksum_.update(bytes);
    written_of_tensor_ += bytes.size();
  };
  return earlier_.copy(key, size_bytes, sink) || artifacts_.copy(key, size_bytes, sink);
}

void QuantizeJob::end_piece(std::size_t in_file, std::string key) {
  cache::Piece piece{.key = std::move(key),
                     .offset = writer_->offset_of(in_file),
                     .size_bytes = std::exchange(written_of_tensor_, 0),
                     .checksum = {}};
  writing_.run([this, piece]() mutable {
    piece.checksum = std::exchange(checksum_, Xxh3()).hex();
    partial_.note(piece);
    pieces_.push_back(std::move(piece));
  });
}

void QuantizeJob::end_tensor(std::size_t tensor, std::string_view checksum, Origin origin) {
  const WeightTensor& source = source_.tensors()[tensor];
  context_.log(fmt::format("{}  {} -> {}  {}{}", source.name, dtype_name(source.stored),
                           dtype_name(encodings_[tensor].type), display_bytes(written_of_tensor_),
                           origin_text(origin)));
  end_piece(in_file_[tensor], piece_key(source, checksum, encoding(tensor)));
  ++(origin == Origin::kComputed ? computed_ : copied_);
  values_done_ += source.values();
  context_.progress(values_done_, values_, "weights");
}

engine::ActionResult QuantizeJob::finish() {
  FileSystem& files = context_.file_system();
  writing_.finish();
  writer_->finish();
  file_->close();
  engine::ActionResult result;
  result.bytes_read = bytes_read_;
  result.bytes_written = file_->size_bytes();
  result.bytes_hashed = file_->size_bytes();
  result.files.push_back({.name = std::string(kOutputName),
                          .path = partial_.path(),
                          .sha256 = file_->finish(),
                          .size_bytes = file_->size_bytes()});
  const GgufDescription description = describe_gguf(files, partial_.path(), request_.threads);
  require_tensors(files, partial_.path(), specs_);
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    if (description.checksums.at(i) != pieces_[i].checksum)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{}: tensor {} reads back otherwise than it was written",
                              partial_.path().string(), specs_[i].name));
  if (description.facts.at("file_type").as_uint() != recipe_.file_type)
    throw Error(ErrorKind::kCorrupt, "the finished file does not say the recipe's file type");
  result.facets = description.facets;
  result.facts = description.facts;
  result.pieces_computed = computed_;
  result.pieces_copied = copied_;
  result.pieces.emplace(kOutputName, std::move(pieces_));
  return result;
}

}  // namespace qbuild::rules
