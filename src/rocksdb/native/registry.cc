#include "registry.h"

#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

#include "rocksdb/convenience.h"
#include "worker_pool.h"

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Database>> databases;
};

// Never destroyed: worker threads may still close databases while the process exits.
Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

std::vector<std::shared_ptr<Database>> OpenDatabases() {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  std::vector<std::shared_ptr<Database>> databases;
  for (const auto& entry : registry.databases) {
    if (auto database = entry.second.lock()) databases.push_back(std::move(database));
  }
  return databases;
}

}  // namespace

std::string CanonicalPath(const std::string& path) {
  std::error_code error;
  auto canonical = std::filesystem::weakly_canonical(path, error);
  if (error) return path;
  std::string text = canonical.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

void RegisterDatabase(const std::shared_ptr<Database>& database) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  for (auto it = registry.databases.begin(); it != registry.databases.end();) {
    it = it->second.expired() ? registry.databases.erase(it) : std::next(it);
  }
  registry.databases[database->path()] = database;
}

std::shared_ptr<Database> FindDatabase(const std::string& path) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  auto it = registry.databases.find(path);
  return it == registry.databases.end() ? nullptr : it->second.lock();
}

void StopDatabases() {
  // Kept until the process is gone: what other threads still hold must not be destroyed by whoever is last.
  auto* databases = new std::vector<std::shared_ptr<Database>>(OpenDatabases());
  for (const auto& database : *databases) {
    database->db()->DisableManualCompaction();
    database->db()->SyncWAL().PermitUncheckedError();
    rocksdb::CancelAllBackgroundWork(database->db(), true);
  }
  WaitForWorkers();
}
