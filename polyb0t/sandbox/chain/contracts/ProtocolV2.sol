// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Known} from "./Interfaces.sol";

/// Positions of Protocol V2. A position is its condition (31 bytes) and one byte of outcome.
contract PositionManager {
    mapping(uint256 => mapping(address => uint256)) private _balances;
    mapping(address => mapping(address => bool)) public isApprovedForAll;
    mapping(bytes31 => uint256[2]) private _payouts; // millionths of a pUSD a share
    mapping(bytes31 => bool) public resolved;

    event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);

    modifier onlyRouter() {
        require(msg.sender == Known.ROUTER, "only the router");
        _;
    }

    function balanceOf(address owner, uint256 id) external view returns (uint256) {
        return _balances[id][owner];
    }

    function balanceOfBatch(address[] calldata owners, uint256[] calldata ids) external view returns (uint256[] memory held) {
        held = new uint256[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) held[i] = _balances[ids[i]][owners[i]];
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata) external {
        require(msg.sender == from || isApprovedForAll[from][msg.sender], "not approved");
        _balances[id][from] -= value;
        _balances[id][to] += value;
        emit TransferSingle(msg.sender, from, to, id, value);
    }

    function mint(address to, uint256 id, uint256 value) external onlyRouter {
        _balances[id][to] += value;
        emit TransferSingle(msg.sender, address(0), to, id, value);
    }

    function burn(address from, uint256 id, uint256 value) external onlyRouter {
        require(isApprovedForAll[from][Known.ROUTER], "not approved");
        require(_balances[id][from] >= value, "balance");
        _balances[id][from] -= value;
        emit TransferSingle(msg.sender, from, address(0), id, value);
    }

    /// What a resolution writes; on a local chain anybody may be the oracle.
    function report(bytes31 condition, uint256 first, uint256 second) external {
        require(!resolved[condition], "resolved already");
        require(first + second == 1e6, "not one pUSD a set");
        resolved[condition] = true;
        _payouts[condition] = [first, second];
    }

    function getPayout(uint256 position, uint256 amount) external view returns (uint256) {
        bytes31 condition = bytes31(uint248(position >> 8));
        require(resolved[condition], "not resolved");
        return amount * _payouts[condition][uint8(position)] / 1e6;
    }
}

/// Complete sets and redemption of Protocol V2, in pUSD.
contract Router {
    event Redeemed(address indexed owner, bytes31 indexed condition, uint256 outcome, uint256 amount, uint256 payout);

    function split(bytes31 condition, uint256 amount) external {
        require(Known.PUSD.transferFrom(msg.sender, address(this), amount), "pUSD");
        Known.PUSD.burn(address(this), amount);
        for (uint256 i = 0; i < 2; i++) _positions().mint(msg.sender, _position(condition, i), amount);
    }

    function merge(bytes31 condition, uint256 amount) external {
        for (uint256 i = 0; i < 2; i++) _positions().burn(msg.sender, _position(condition, i), amount);
        Known.PUSD.mint(msg.sender, amount);
    }

    function redeem(bytes31 condition, uint256 outcome, uint256 amount) external {
        uint256 position = _position(condition, outcome);
        uint256 payout = _positions().getPayout(position, amount);
        _positions().burn(msg.sender, position, amount);
        if (payout > 0) Known.PUSD.mint(msg.sender, payout);
        emit Redeemed(msg.sender, condition, outcome, amount, payout);
    }

    function _position(bytes31 condition, uint256 outcome) private pure returns (uint256) {
        require(outcome < 2, "outcome");
        return uint256(uint248(condition)) << 8 | outcome;
    }

    function _positions() private pure returns (PositionManager) {
        return PositionManager(Known.POSITION_MANAGER);
    }
}
