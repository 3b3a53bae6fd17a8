#include "database.h"

#include <utility>

#include "rocksdb/convenience.h"
#include "rocksdb/version.h"

using rocksdb::Status;

Status Database::Open(const std::string& path, DatabaseSettings settings, std::shared_ptr<Database>* database) {
  std::shared_ptr<Database> opened(new Database(path, std::move(settings)));
  Status status = opened->OpenFiles();
  if (status.ok()) status = opened->CheckColumnFamilyIds();
  if (!status.ok()) return status;
  opened->ConnectFilters();
  *database = std::move(opened);
  return status;
}

void Database::ConnectFilters() {
  FilterContext* context = settings_.filter_context.get();
  for (size_t i = 0; i < column_families_.size(); i++) {
    const std::string& filter = settings_.column_families[i].filter;
    if (filter == "metadata") context->metadata = column_families_[i];
    if (filter == "search") context->search = column_families_[i];
  }
  context->db.store(db_, std::memory_order_release);
}

Status Database::OpenFiles() {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const auto& family : settings_.column_families) descriptors.emplace_back(family.name, family.options);
  const auto& options = settings_.options;
#if ROCKSDB_MAJOR > 10 || (ROCKSDB_MAJOR == 10 && ROCKSDB_MINOR >= 8)
  std::unique_ptr<rocksdb::DB> owned;
  auto* db = &owned;
#else
  auto* db = &db_;
#endif
  Status status;
  switch (settings_.mode) {
    case OpenMode::kReadWrite:
      status = rocksdb::DB::Open(options, path_, descriptors, &column_families_, db);
      break;
    case OpenMode::kReadOnly:
      status = rocksdb::DB::OpenForReadOnly(options, path_, descriptors, &column_families_, db);
      break;
    case OpenMode::kSecondary:
      status = rocksdb::DB::OpenAsSecondary(options, path_, settings_.secondary_path, descriptors, &column_families_, db);
      break;
  }
#if ROCKSDB_MAJOR > 10 || (ROCKSDB_MAJOR == 10 && ROCKSDB_MINOR >= 8)
  db_ = owned.release();
#endif
  return status;
}

Status Database::CheckColumnFamilyIds() const {
  for (size_t i = 0; i < column_families_.size(); i++) {
    if (column_families_[i]->GetID() == i) continue;
    return Status::InvalidArgument("Column family " + column_families_[i]->GetName() + " has the id " +
                                   std::to_string(column_families_[i]->GetID()) + " instead of " + std::to_string(i));
  }
  return Status::OK();
}

Database::~Database() {
  if (!db_) return;
  if (settings_.mode == OpenMode::kReadWrite) db_->SyncWAL().PermitUncheckedError();
  rocksdb::CancelAllBackgroundWork(db_, true);
  settings_.filter_context->db = nullptr;
  for (auto* handle : column_families_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
  delete db_;
}
